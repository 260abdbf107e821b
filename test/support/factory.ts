import { randomUUID } from 'node:crypto';
import bcrypt from 'bcryptjs';
import type { Role } from '../../src/common/actor/roles.js';
import type { Database } from '../../src/database/database.js';
import { everyGym } from '../../src/database/sql.js';
import type { HttpClient } from './http-client.js';

export const PASSWORD = 'correct horse';
const HASH = bcrypt.hashSync(PASSWORD, 4);

export interface Person {
  id: number;
  email: string;
  role: Role;
  gym_id: number | null;
  document_id: string;
}

/** A person and the client they are signed in with. */
export interface SignedIn extends Person {
  client: HttpClient;
  access_token: string;
  refresh_token: string;
}

/** Unique in every test file, so that they can share a database. */
export const unique = (prefix: string): string => `${prefix}-${randomUUID().slice(0, 8)}`;

/** Makes what a test needs, past the API where the API would be slow. */
export class Factory {
  constructor(
    private readonly db: Database,
    private readonly nobody: HttpClient,
  ) {}

  async gym(
    fields: { name?: string; timezone?: string; is_active?: boolean } = {},
  ): Promise<{ id: number; name: string }> {
    const { name = unique('Gym'), timezone = 'UTC', is_active = true } = fields;
    const [gym] = await this.db.query<{ id: number; name: string }>(everyGym`
      INSERT INTO gyms (name, timezone, is_active) VALUES (${name}, ${timezone}, ${is_active}) RETURNING id, name`);
    return gym!;
  }

  /** Somebody with PASSWORD. */
  async person(role: Role, gymId: number | null, fields: Partial<Record<string, unknown>> = {}): Promise<Person> {
    const name = unique(role);
    const person = {
      email: `${name}@example.com`,
      full_name: `Test ${name}`,
      document_id: name,
      phone_number: null,
      username: null,
      password_hash: HASH,
      is_active: true,
      must_change_password: false,
      ...fields,
    };
    const [row] = await this.db.query<Person>(everyGym`
      INSERT INTO users (email, full_name, document_id, phone_number, username, password_hash, is_active,
        must_change_password, role, gym_id)
      VALUES (${person.email}, ${person.full_name}, ${person.document_id}, ${person.phone_number}, ${person.username},
        ${person.password_hash}, ${person.is_active}, ${person.must_change_password}, ${role},
        ${role === 'admin' ? null : gymId})
      RETURNING id, email, role, gym_id, document_id`);
    return row!;
  }

  async signedIn(role: Role, gymId: number | null, fields?: Partial<Record<string, unknown>>): Promise<SignedIn> {
    return this.signIn(await this.person(role, gymId, fields));
  }

  async signIn(person: Person): Promise<SignedIn> {
    const { status, body } = await this.nobody.post('/auth/login', { email: person.email, password: PASSWORD });
    if (status !== 200) throw new Error(`Sign-in answered ${status}: ${JSON.stringify(body)}`);
    const { access_token, refresh_token } = body;
    return { ...person, access_token, refresh_token, client: this.nobody.withToken(access_token) };
  }
}
