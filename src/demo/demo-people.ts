import bcrypt from 'bcryptjs';
import type pg from 'pg';
import type { Role } from '../common/actor/roles.js';
import type { KeyRing } from '../common/crypto/key-ring.js';
import { arrival, clock, DAY } from './demo-clock.js';
import { EGYPT, EVERYWHERE, fullName, mailbox, type Names } from './names.js';
import { Random } from './random.js';
import { insert, number, type Row } from './rows.js';

export const DEMO_GYM = 'Riverside Fitness';
export const DEMO_PASSWORD = 'demo1234';
export const DEMO_SIGN_IN = `manager@demo.gym / ${DEMO_PASSWORD}`;
/** Demo passwords protect nothing; a real cost would make 150 of them take 10 s. */
export const DEMO_ROUNDS = 4;
const LETTERS = 'ABCDEFGHJKMNPQRSTUVWXYZ';

/** What a gym of the demo begins with. */
export interface Place {
  /** Without a name it is the gym of the first start. */
  gym: { name?: string; address: string; phone_number: string; timezone: string };
  staff: { role: Role; full_name: string; email: string }[];
  names: Names;
  /** A phone number in that country, of eight digits. */
  phone: (digits: string) => string;
  /** Members whose name, phone and temporary password are always the same: the first ones, after those of the docs. */
  known: [full_name: string, phone_number: string, temporary_password: string][];
  members: number;
}

/** The examples of the docs are about its first members, so it comes first. */
const RIVERSIDE: Place = {
  gym: {
    ...{ name: DEMO_GYM, address: 'Cais do Sodré 12, Lisboa', phone_number: '+351 210 000 100' },
    timezone: 'Europe/Lisbon',
  },
  staff: [
    { role: 'manager', full_name: 'Marta Oliveira', email: 'manager@demo.gym' },
    { role: 'reception', full_name: 'Rui Santos', email: 'reception@demo.gym' },
    { role: 'accountant', full_name: 'Alice Weber', email: 'accountant@demo.gym' },
    { role: 'trainer', full_name: 'Tiago Moreira', email: 'tiago.moreira@demo.gym' },
    { role: 'trainer', full_name: 'Sara Lindqvist', email: 'sara.lindqvist@demo.gym' },
  ],
  names: EVERYWHERE,
  phone: (digits) => `+351 9${digits.slice(0, 2)} ${digits.slice(2, 5)} ${digits.slice(5)}`,
  known: [
    ['Hadeer Youssef', '01095899313', 'PE71JZ'],
    ['Somaya Hassan', '01085345555', 'RK94GG'],
  ],
  members: 90,
};
const MAIN: Place = {
  gym: { address: '26 July Street 40, Cairo', phone_number: '+20 2 2500 0100', timezone: 'Africa/Cairo' },
  staff: [
    { role: 'manager', full_name: 'Nadia Fawzy', email: 'manager.main@demo.gym' },
    { role: 'reception', full_name: 'Karim Adel', email: 'reception.main@demo.gym' },
    { role: 'accountant', full_name: 'Dina Sabry', email: 'accountant.main@demo.gym' },
    { role: 'trainer', full_name: 'Omar Lotfy', email: 'omar.lotfy@demo.gym' },
    { role: 'trainer', full_name: 'Salma Nassar', email: 'salma.nassar@demo.gym' },
  ],
  names: EGYPT,
  phone: (digits) => `010${digits}`,
  known: [
    ['Mohamed Salem', '01077827638', 'RX04AF'],
    ['Layla Rashad', '01022981052', 'SI19IC'],
    ['Ibrahim Hassan', '01041244663', 'PS02HC'],
  ],
  members: 60,
};
export const PLACES = [RIVERSIDE, MAIN];
/** The first two of each gym are in the docs. */
const IN_EXAMPLES = 2;

/** The gym and its staff. */
export interface Demo {
  gym: Row;
  /** 0 or 1: which of the two. */
  place: number;
  /** The gym's clock. */
  now: number;
  manager: Row;
  trainers: Row[];
  /** Who is at the front desk, as often as they are. */
  desk: Row[];
}

export interface Member extends Row {
  created_at: number;
  /** Comes once a week and keeps a plan of 100 visits: examples and tutorials count on it. */
  is_steady: boolean;
}

/** Begins a gym, on its own clock: the one of the first start, or a new one. */
export async function addGym(
  client: pg.Client,
  { gym: fields, staff: people, phone }: Place,
  place: number,
): Promise<Demo> {
  await client.query(`SET LOCAL timezone = '${fields.timezone}'`);
  const { rows } = await client.query<{ now: number }>(
    'SELECT extract(epoch FROM localtimestamp(0))::float8 * 1000 AS now',
  );
  const { now } = rows[0]!;
  const opened = { created_at: now - 420 * DAY, updated_at: now - 420 * DAY };
  const gym: Row = { ...fields, is_active: true, ...opened };
  if (fields.name) await insert(client, 'gyms', [gym]);
  else {
    const { rows: first } = await client.query<{ id: number }>(
      `UPDATE gyms SET address = $1, phone_number = $2, timezone = $3, created_at = $4
       WHERE id = (SELECT min(id) FROM gyms) RETURNING id`,
      [fields.address, fields.phone_number, fields.timezone, clock(opened.created_at)],
    );
    gym.id = first[0]!.id;
  }
  const hash = await bcrypt.hash(DEMO_PASSWORD, DEMO_ROUNDS);
  const staff: Row[] = people.map((person, index) => ({
    ...{ ...person, gym_id: gym, document_id: `STAFF-${place}-${index + 1}`, password_hash: hash },
    ...{ phone_number: phone(`1000010${index}`), is_active: true },
    ...{ must_change_password: false, ...opened },
  }));
  await insert(client, 'users', staff);
  const [manager, reception, , ...trainers] = staff as [Row, Row, Row, ...Row[]];
  const desk = [reception, reception, reception, reception, reception, ...trainers, manager];
  return { gym, place, now, manager, trainers, desk };
}

/** They joined over the last 400 days, each with a temporary password that they have not changed yet. */
export async function addMembers(client: pg.Client, demo: Demo, place: Place, keys: KeyRing): Promise<Member[]> {
  const { gym, now } = demo;
  const random = new Random(2026 + demo.place);
  const text = (length: number, of: string) => Array.from({ length }, () => random.pick([...of])).join('');
  const members: Member[] = [];
  const passwords: string[] = [];
  for (let position = 0; position < place.members; position++) {
    const known = place.known[position - IN_EXAMPLES];
    const [name, phone, password] = known ?? [
      fullName(random, place.names),
      place.phone(text(8, '123456789')),
      `${text(2, LETTERS)}${text(2, '23456789')}${text(2, LETTERS)}`,
    ];
    const joined = arrival(random, now - (400 - (397 * position) / place.members) * DAY);
    passwords.push(password);
    members.push({
      ...{ full_name: name, role: 'user', gym_id: gym, phone_number: phone },
      email: `${mailbox(name)}.${demo.place * 100 + position + 1}@example.com`,
      document_id: `DEMO-${demo.place}${String(position + 1).padStart(3, '0')}`,
      ...{ password_hash: await bcrypt.hash(password, DEMO_ROUNDS), is_active: true, must_change_password: true },
      ...{ is_steady: position < IN_EXAMPLES || Boolean(known), created_at: joined, updated_at: joined },
    });
  }
  await number(client, 'users', members);
  const codes = new Random(7 + demo.place);
  await insert(
    client,
    'users',
    members.map(({ is_steady: _, ...member }, index) => ({
      ...member,
      // On every machine the same, like all else.
      qr_code: passCode(codes, Number(member.id)),
      temporary_password: keys.encrypt(passwords[index]!, `users.temporary_password ${member.id}`),
    })),
  );
  return members;
}

/** In the form that old scanners read, too (the SQL function new_pass_code): the digits of the id among letters. */
function passCode(random: Random, id: number): string {
  const digits = [...String(id)];
  const signs = Array.from({ length: 8 }, (_, place) =>
    random.int(1, 8 - place) <= digits.length ? digits.shift() : random.pick([...'ABCDEF']),
  );
  return `GYM-${id}-${signs.join('')}`;
}
