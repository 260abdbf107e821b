import bcrypt from 'bcryptjs';
import type pg from 'pg';
import type { Role } from '../common/actor/roles.js';
import { KeyRing } from '../common/crypto/key-ring.js';
import type { Config } from '../config/config.js';
import { fullName, mailbox } from './names.js';
import { Random } from './random.js';

export const DEMO_GYM = 'Riverside Fitness';
export const DEMO_PASSWORD = 'demo1234';
const MEMBERS = 150;
const STAFF: [Role, string][] = [
  ['manager', 'Marta Oliveira'],
  ['reception', 'Rui Santos'],
  ['accountant', 'Alice Weber'],
  ['trainer', 'Tiago Moreira'],
  ['trainer', 'Sara Lindqvist'],
];
/** Demo passwords protect nothing; a real cost would make 150 of them take 10 s. */
const DEMO_ROUNDS = 4;
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ';

/** Adds a believable gym, once, the same everywhere. @returns what was added, or that it was there */
export async function seedDemo(client: pg.Client, config: Config): Promise<string> {
  const { rowCount } = await client.query('SELECT 1 FROM gyms WHERE name = $1', [DEMO_GYM]);
  if (rowCount) return `${DEMO_GYM} is there already.`;
  const random = new Random(2026);
  await client.query('BEGIN');
  const gymId = await addGym(client);
  await addStaff(client, gymId);
  await addMembers(client, gymId, random, new KeyRing(config.ENCRYPTION_KEYS));
  await client.query('COMMIT');
  return `Added ${DEMO_GYM}: ${STAFF.length} staff (manager@demo.gym / ${DEMO_PASSWORD}), ${MEMBERS} members.`;
}

async function addGym(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ id: number }>(
    `INSERT INTO gyms (name, address, phone_number, timezone)
     VALUES ($1, 'Cais do Sodré 12, Lisboa', '+351 210 000 100', 'Europe/Lisbon') RETURNING id`,
    [DEMO_GYM],
  );
  return rows[0]!.id;
}

async function addStaff(client: pg.Client, gymId: number): Promise<void> {
  const hash = await bcrypt.hash(DEMO_PASSWORD, DEMO_ROUNDS);
  for (const [index, [role, name]] of STAFF.entries()) {
    const email = role === 'trainer' ? `${mailbox(name)}@demo.gym` : `${role}@demo.gym`;
    await client.query(
      `INSERT INTO users (email, full_name, document_id, phone_number, role, gym_id, password_hash)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [email, name, `STAFF-${index + 1}`, `+351 910 000 10${index}`, role, gymId, hash],
    );
  }
}

async function addMembers(client: pg.Client, gymId: number, random: Random, keys: KeyRing): Promise<void> {
  for (let number = 1; number <= MEMBERS; number++) {
    const name = fullName(random);
    const letters = Array.from({ length: 4 }, () => random.pick([...LETTERS])).join('');
    const password = `${letters.slice(0, 2)}${random.int(10, 99)}${letters.slice(2)}`;
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO users (email, full_name, document_id, phone_number, gym_id, password_hash, must_change_password)
       VALUES ($1, $2, $3, $4, $5, $6, TRUE) RETURNING id`,
      [
        `${mailbox(name)}.${number}@example.com`,
        name,
        `DEMO-${String(number).padStart(4, '0')}`,
        `+351 9${random.int(10, 69)} ${random.int(100, 999)} ${random.int(100, 999)}`,
        gymId,
        await bcrypt.hash(password, DEMO_ROUNDS),
      ],
    );
    const { id } = rows[0]!;
    const stored = keys.encrypt(password, `users.temporary_password ${id}`);
    await client.query('UPDATE users SET temporary_password = $2 WHERE id = $1', [id, stored]);
  }
}
