import { createHmac } from 'node:crypto';
import type pg from 'pg';
import { keyOfHashes } from '../database/database.js';

/** As good as the passwords of the demo, which are known too. */
const RESET_TOKEN = 'demo-reset-token';

/** What the examples of the docs end and use: an older sign-in of the admin, and a link to a new password. */
export async function addSignIns(client: pg.Client, secret: string): Promise<void> {
  await client.query(
    `INSERT INTO sessions (user_id, user_agent, ip_address, network, created_at, last_used_at, expires_at)
     SELECT min(id), 'Spotter/2.1 (Android 15)', '203.0.113.7', '203.0.113.7', now() - interval '3 days',
       now() - interval '1 day', now() + interval '27 days'
     FROM users WHERE role = 'admin' AND deleted_at IS NULL`,
  );
  const hash = createHmac('sha256', keyOfHashes(secret)).update(RESET_TOKEN).digest();
  await client.query(
    `INSERT INTO password_resets (token_hash, user_id, email, password_version, expires_at)
     SELECT $1, id, email, password_version, now() + interval '10 years'
     FROM users WHERE email = 'accountant@demo.gym'`,
    [hash],
  );
}
