import bcrypt from 'bcryptjs';
import type pg from 'pg';
import type { Role } from '../common/actor/roles.js';
import type { KeyRing } from '../common/crypto/key-ring.js';
import { arrival, DAY } from './demo-clock.js';
import { fullName, mailbox } from './names.js';
import { Random } from './random.js';
import { insert, number, type Row } from './rows.js';

export const DEMO_GYM = 'Riverside Fitness';
export const DEMO_PASSWORD = 'demo1234';
export const DEMO_TIMEZONE = 'Europe/Lisbon';
/** Demo passwords protect nothing; a real cost would make 150 of them take 10 s. */
export const DEMO_ROUNDS = 4;
const MEMBERS = 150;
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ';
const PEOPLE: [Role, string][] = [
  ['manager', 'Marta Oliveira'],
  ['reception', 'Rui Santos'],
  ['accountant', 'Alice Weber'],
  ['trainer', 'Tiago Moreira'],
  ['trainer', 'Sara Lindqvist'],
];

/** The gym and its staff. */
export interface Demo {
  gym: Row;
  /** The gym's clock. */
  now: number;
  manager: Row;
  trainers: Row[];
  /** Who is at the front desk, as often as they are. */
  desk: Row[];
}

export interface Member extends Row {
  created_at: number;
}

export async function addGym(client: pg.Client): Promise<Demo> {
  await client.query(`SET LOCAL timezone = '${DEMO_TIMEZONE}'`);
  const { rows } = await client.query<{ now: number }>(
    'SELECT extract(epoch FROM localtimestamp(0))::float8 * 1000 AS now',
  );
  const { now } = rows[0]!;
  const opened = { created_at: now - 420 * DAY, updated_at: now - 420 * DAY };
  const gym: Row = {
    ...{ name: DEMO_GYM, address: 'Cais do Sodré 12, Lisboa', phone_number: '+351 210 000 100' },
    ...{ timezone: DEMO_TIMEZONE, is_active: true, ...opened },
  };
  await insert(client, 'gyms', [gym]);
  const hash = await bcrypt.hash(DEMO_PASSWORD, DEMO_ROUNDS);
  const staff: Row[] = PEOPLE.map(([role, name], index) => ({
    email: role === 'trainer' ? `${mailbox(name)}@demo.gym` : `${role}@demo.gym`,
    ...{ full_name: name, role, gym_id: gym },
    ...{ document_id: `STAFF-${index + 1}`, phone_number: `+351 910 000 10${index}`, password_hash: hash },
    ...{ is_active: true, must_change_password: false, ...opened },
  }));
  await insert(client, 'users', staff);
  const [manager, reception, , ...trainers] = staff as [Row, Row, Row, ...Row[]];
  const desk = [reception, reception, reception, reception, reception, ...trainers, manager];
  return { gym, now, manager, trainers, desk };
}

/** They joined over the last 400 days, each with a temporary password that they have not changed yet. */
export async function addMembers(client: pg.Client, { gym, now }: Demo, keys: KeyRing): Promise<Member[]> {
  const random = new Random(2026);
  const members: (Member & { temporary_password?: string })[] = [];
  const passwords: string[] = [];
  for (let position = 1; position <= MEMBERS; position++) {
    const name = fullName(random);
    const letters = Array.from({ length: 4 }, () => random.pick([...LETTERS])).join('');
    const password = `${letters.slice(0, 2)}${random.int(10, 99)}${letters.slice(2)}`;
    const joined = arrival(random, now - (400 - 2.65 * position) * DAY);
    passwords.push(password);
    members.push({
      ...{ email: `${mailbox(name)}.${position}@example.com`, full_name: name, role: 'user', gym_id: gym },
      document_id: `DEMO-${String(position).padStart(4, '0')}`,
      phone_number: `+351 9${random.int(10, 69)} ${random.int(100, 999)} ${random.int(100, 999)}`,
      ...{ password_hash: await bcrypt.hash(password, DEMO_ROUNDS), is_active: true, must_change_password: true },
      ...{ created_at: joined, updated_at: joined },
    });
  }
  await number(client, 'users', members);
  for (const [index, member] of members.entries()) {
    member.temporary_password = keys.encrypt(passwords[index]!, `users.temporary_password ${member.id}`);
  }
  await insert(client, 'users', members);
  return members;
}
