import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../../support/app.js';
import { ownDatabase } from '../../support/database.js';
import type { SignedIn } from '../../support/factory.js';
import { plain } from '../../support/plain-http.js';

/** What the old scanner makes of a code: the digits behind the last dash, or nothing. */
const idIn = (code: string): string => code.split('-').at(-1)!.replace(/\D/g, '');

describe('pass codes and the scanner of flutter-app', () => {
  let t: TestApp;
  let desk: SignedIn;
  let gymId: number;

  const get = (path: string) => plain('GET', `${t.url}/api/${path}`, { token: desk.access_token });
  const newCustomer = async () => {
    const created = await plain('POST', `${t.url}/api/customers/register`, {
      token: desk.access_token,
      body: { full_name: 'New One', phone: '01000' },
    });
    return created.body.data as { id: number; customer: { qr_code: string } };
  };

  beforeAll(async () => {
    t = await startApp({ DATABASE_URL: await ownDatabase('flutter_codes'), LEGACY_CLIENTS: 'flutter-app' });
    gymId = (await t.make.gym()).id;
    desk = await t.make.signedIn('reception', gymId);
  });
  afterAll(() => t.close());

  it.each([7, 42, 900, 1234, 98_765, 99_999])('find the customer of id %d, with each new code', async (id) => {
    await t.db.pool.query(`SELECT setval('users_id_seq', $1, false)`, [id]);
    const made = await newCustomer();
    expect(made.id).toBe(id);
    const codes = new Set([made.customer.qr_code]);
    for (let again = 0; again < 5; again++) {
      const path = `${t.url}/api/customers/${id}/regenerate-qr`;
      codes.add((await plain('POST', path, { token: desk.access_token })).body.qr_code);
    }
    for (const code of codes) {
      expect(code).toMatch(new RegExp(`^GYM-${id}-[0-9A-F]{8}$`));
      expect(idIn(code)).toBe(String(id));
      expect((await get(`customers/${idIn(code)}`)).body.data.id).toBe(id);
    }
    expect(codes.size).toBeGreaterThan(1);
  });

  it.each([100_000, 1_234_567])('find no one from id 100,000 on: %d', async (id) => {
    await t.db.pool.query(`SELECT setval('users_id_seq', $1, false)`, [id]);
    const { customer } = await newCustomer();
    expect(customer.qr_code).toMatch(new RegExp(`^GYM-${id}-[A-F]{8}$`));
    expect(idIn(customer.qr_code)).toBe('');
    // The address without an id is the list: there is no customer in it.
    expect((await get(`customers/${idIn(customer.qr_code)}`)).body.data.id).toBeUndefined();
    const answer = await plain('POST', `${t.url}/api/attendance`, {
      token: desk.access_token,
      body: { qr_code: customer.qr_code, action: 'check_in_only' },
    });
    expect(answer.status).toBe(409);
  });
});
