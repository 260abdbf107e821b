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

export interface PlanRow {
  id: number;
  gym_id: number;
  name: string;
  price: number;
  kind: 'time' | 'sessions' | 'coins';
  duration_days: number | null;
  session_count: number | null;
  is_active: boolean;
}

export interface ProductRow {
  id: number;
  gym_id: number;
  name: string;
  price: number;
  quantity: number;
}

/** Unique in every test file, so that they can share a database. */
export const unique = (prefix: string): string => `${prefix}-${randomUUID().slice(0, 8)}`;

/** Makes what a test needs, past the API where the API would be slow. */
export class Factory {
  constructor(
    private readonly db: Database,
    private readonly anonymous: HttpClient,
  ) {}

  async gym(
    fields: { name?: string; timezone?: string; is_active?: boolean } = {},
  ): Promise<{ id: number; name: string }> {
    const { name = unique('Gym'), timezone = 'UTC', is_active = true } = fields;
    const [gym] = await this.db.change<{ id: number; name: string }>(everyGym`
      INSERT INTO gyms (name, timezone, is_active) VALUES (${name}, ${timezone}, ${is_active}) RETURNING id, name`);
    return gym!;
  }

  /** A person with PASSWORD. */
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
    const [row] = await this.db.change<Person>(everyGym`
      INSERT INTO users (email, full_name, document_id, phone_number, username, password_hash, is_active,
        must_change_password, role, gym_id)
      VALUES (${person.email}, ${person.full_name}, ${person.document_id}, ${person.phone_number}, ${person.username},
        ${person.password_hash}, ${person.is_active}, ${person.must_change_password}, ${role},
        ${gymId})
      RETURNING id, email, role, gym_id, document_id`);
    return row!;
  }

  /** The code of their pass. */
  async qrCode({ id }: { id: number }): Promise<string> {
    const [person] = await this.db.query<{ qr_code: string }>(everyGym`SELECT qr_code FROM users WHERE id = ${id}`);
    return person!.qr_code;
  }

  /** By time, 30 days for 30; or by sessions, if it has any. */
  async plan(gymId: number, fields: Partial<PlanRow> = {}): Promise<PlanRow> {
    const { name = unique('Plan'), price = 30, session_count = null, is_active = true } = fields;
    const { kind = session_count ? 'sessions' : 'time', duration_days = session_count ? null : 30 } = fields;
    const [plan] = await this.db.change<PlanRow>(everyGym`
      INSERT INTO plans (gym_id, name, price, kind, duration_days, session_count, is_active)
      VALUES (${gymId}, ${name}, ${price}, ${kind}, ${duration_days}, ${session_count}, ${is_active})
      RETURNING id, gym_id, name, price, kind, duration_days, session_count, is_active`);
    return plan!;
  }

  /** An active plan that the member bought now. */
  async userPlan(member: { id: number }, plan: PlanRow): Promise<{ id: number }> {
    const [userPlan] = await this.db.change<{ id: number }>(everyGym`
      INSERT INTO user_plans (user_id, gym_id, plan_id, purchased_price, duration_days, remaining_sessions, starts_at, expires_at)
      VALUES (${member.id}, ${plan.gym_id}, ${plan.id}, ${plan.price}, ${plan.duration_days}, ${plan.session_count}, moment(),
        moment() + make_interval(days => ${plan.duration_days}))
      RETURNING id`);
    return userPlan!;
  }

  /** A product for 2.50, delivered with its stock. */
  async product(gymId: number, fields: Partial<ProductRow> = {}): Promise<ProductRow> {
    const { name = unique('Product'), price = 2.5, quantity = 10 } = fields;
    const [product] = await this.db.change<ProductRow>(everyGym`
      WITH p AS (
        INSERT INTO products (gym_id, name, price, quantity) VALUES (${gymId}, ${name}, ${price}, ${quantity}) RETURNING *
      ), moved AS (
        INSERT INTO stock_movements (product_id, change, quantity_after, reason, note)
        SELECT id, quantity, quantity, 'delivery', name FROM p
      )
      SELECT id, gym_id, name, price, quantity FROM p`);
    return product!;
  }

  /** One piece, sold at a time; its stock was never counted. */
  async sale(product: ProductRow, seller: { id: number }, soldAt = new Date().toISOString()): Promise<{ id: number }> {
    const [sale] = await this.db.change<{ id: number }>(everyGym`
      INSERT INTO sales (gym_id, product_id, quantity, unit_price, total_amount, sold_by_id, sale_date)
      VALUES (${product.gym_id}, ${product.id}, 1, ${product.price}, ${product.price}, ${seller.id}, ${soldAt}) RETURNING id`);
    return sale!;
  }

  /** A visit, still open unless its end is said. */
  async visit(
    member: { id: number; gym_id: number | null },
    checkInTime = new Date().toISOString(),
    checkOutTime: string | null = null,
  ): Promise<{ id: number }> {
    const [visit] = await this.db.change<{ id: number }>(everyGym`
      INSERT INTO attendance (user_id, gym_id, check_in_time, check_out_time)
      VALUES (${member.id}, ${member.gym_id}, ${checkInTime}, ${checkOutTime}) RETURNING id`);
    return visit!;
  }

  async measurement(
    member: { id: number; gym_id: number | null },
    fields: { weight?: number; measurement_date?: string; notes?: string } = {},
  ): Promise<{ id: number }> {
    const { weight = 80, measurement_date = new Date().toISOString(), notes = null } = fields;
    const [measurement] = await this.db.change<{ id: number }>(everyGym`
      INSERT INTO measurements (user_id, gym_id, measurement_date, weight, notes)
      VALUES (${member.id}, ${member.gym_id}, ${measurement_date}, ${weight}, ${notes}) RETURNING id`);
    return measurement!;
  }

  /** For 49.90. The person gets a trainer profile, if they have none. */
  async course(
    trainer: { id: number },
    fields: { title?: string; description?: string; is_archived?: boolean } = {},
  ): Promise<{ id: number; trainer_profile_id: number }> {
    const { title = unique('Course'), description = null, is_archived = false } = fields;
    await this.db.change(everyGym`
      INSERT INTO profiles (account_id, profile_type) VALUES (${trainer.id}, 'trainer')
      ON CONFLICT (account_id, profile_type) DO NOTHING`);
    const [course] = await this.db.change<{ id: number; trainer_profile_id: number }>(everyGym`
      INSERT INTO courses (trainer_profile_id, title, description, price, is_archived)
      SELECT id, ${title}, ${description}, 49.9, ${is_archived} FROM profiles
      WHERE account_id = ${trainer.id} AND profile_type = 'trainer'
      RETURNING id, trainer_profile_id`);
    return course!;
  }

  /** Of two people, with these messages, each by one of them. */
  async conversation(
    one: { id: number },
    two: { id: number },
    ...messages: { by: { id: number }; content: string }[]
  ): Promise<{ id: number; message_ids: number[] }> {
    const [user1, user2] = one.id < two.id ? [one.id, two.id] : [two.id, one.id];
    const [conversation] = await this.db.change<{ id: number }>(everyGym`
      WITH c AS (INSERT INTO conversations (user1_id, user2_id) VALUES (${user1}, ${user2})
        ON CONFLICT (user1_id, user2_id) DO UPDATE SET user1_id = excluded.user1_id RETURNING *),
      p AS (INSERT INTO participants (conversation_id, user_id, other_id, last_active_at)
        SELECT id, user1_id, user2_id, now() FROM c UNION ALL SELECT id, user2_id, user1_id, now() FROM c
        ON CONFLICT DO NOTHING)
      SELECT id FROM c`);
    const { id } = conversation!;
    const ids: number[] = [];
    for (const { by, content } of messages) {
      const [message] = await this.db.change<{ id: number }>(everyGym`
        WITH p AS (UPDATE participants SET unread_count = unread_count + 1
          WHERE conversation_id = ${id} AND user_id <> ${by.id})
        INSERT INTO messages (conversation_id, sender_id, content, timestamp)
        VALUES (${id}, ${by.id}, ${content}, now()) RETURNING id`);
      ids.push(message!.id);
    }
    return { id, message_ids: ids };
  }

  async signedIn(role: Role, gymId: number | null, fields?: Partial<Record<string, unknown>>): Promise<SignedIn> {
    return this.signIn(await this.person(role, gymId, fields));
  }

  async signIn(person: Person): Promise<SignedIn> {
    const { status, body } = await this.anonymous.post('/auth/login', { email: person.email, password: PASSWORD });
    if (status !== 200) throw new Error(`Sign-in answered ${status}: ${JSON.stringify(body)}`);
    const { access_token, refresh_token } = body;
    return { ...person, access_token, refresh_token, client: this.anonymous.withToken(access_token) };
  }
}
