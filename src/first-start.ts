import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import bcrypt from 'bcryptjs';
import type pg from 'pg';
import { Passwords } from './auth/passwords.js';
import type { Config } from './config/config.js';
import { Database } from './database/database.js';
import { everyGym } from './database/sql.js';

interface FirstPerson {
  email: string;
  password: string;
  full_name: string;
  document_id: string;
  phone_number: string;
  role: 'admin' | 'trainer';
  must_change_password: boolean;
}

const ADMIN: FirstPerson = {
  email: 'admin@gym.com',
  password: 'admin123',
  full_name: 'Administrator',
  document_id: 'ADMIN001',
  phone_number: '+1234567890',
  role: 'admin',
  must_change_password: false,
};
const TRAINER: FirstPerson = {
  email: 'trainer@gym.com',
  password: 'trainer123',
  full_name: 'Trainer',
  document_id: 'TRAINER001',
  phone_number: '+1234567891',
  role: 'trainer',
  must_change_password: false,
};

/**
 * Gives an empty database its first gym and its first people. Called while no other server can do the same.
 * @returns a one-time sign-in that the operator sees only now, or null
 */
export async function firstStart(client: pg.Client, config: Config): Promise<string | null> {
  const { rowCount } = await client.query('SELECT 1 FROM users LIMIT 1');
  if (rowCount) return null;
  const people = config.production ? [productionAdmin(config)] : [ADMIN, TRAINER];
  await client.query('BEGIN');
  const { rows } = await client.query<{ id: number }>(`INSERT INTO gyms (name) VALUES ('Main Gym') RETURNING id`);
  for (const person of people) {
    await client.query(
      `INSERT INTO users (email, full_name, document_id, phone_number, role, gym_id, password_hash,
        must_change_password)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        ...[person.email, person.full_name, person.document_id, person.phone_number, person.role],
        ...[rows[0]!.id, await bcrypt.hash(person.password, config.BCRYPT_ROUNDS)],
        person.must_change_password,
      ],
    );
  }
  await client.query('COMMIT');
  const shownOnce = people.find((person) => person.must_change_password);
  return shownOnce ? `${shownOnce.email} / ${shownOnce.password} (shown only now: it must be changed)` : null;
}

/** The operator's admin; without ADMIN_PASSWORD one with a password that is shown once and must be changed. */
function productionAdmin(config: Config): FirstPerson {
  return {
    ...ADMIN,
    email: config.ADMIN_EMAIL ?? ADMIN.email,
    password: config.ADMIN_PASSWORD ?? randomBytes(12).toString('base64url'),
    must_change_password: !config.ADMIN_PASSWORD,
  };
}

/** The default sign-ins that still work. They are public, so every start says so. */
export async function defaultSignIns(app: NestFastifyApplication): Promise<string[]> {
  const inUse: string[] = [];
  for (const { email, password } of [ADMIN, TRAINER]) {
    const [person] = await app
      .get(Database)
      .query<{ password_hash: string | null }>(
        everyGym`SELECT password_hash FROM users WHERE fold(email) = fold(${email})`,
      );
    if (!(await app.get(Passwords).matches(password, person?.password_hash))) continue;
    new Logger('FirstStart').warn(
      `${email} still has its default password. Change it before others reach this server.`,
    );
    inUse.push(`${email} / ${password}`);
  }
  return inUse;
}
