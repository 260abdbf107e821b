import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Unavailable } from '../../src/common/errors/common.errors.js';
import { parseCsv } from '../support/csv.js';
import { startApp, type TestApp } from '../support/app.js';
import { ownDatabase } from '../support/database.js';
import type { SignedIn } from '../support/factory.js';

const MEMBERS = 40_000;
/** Of a page: see common/http/csv.ts. */
const PAGE = 200;
const HEADER =
  'id,full_name,email,phone_number,document_id,is_active,joined_date,plan_name,plan_status,plan_expires_at,remaining_sessions,last_visit_date,gym_id';

describe('files for a spreadsheet', () => {
  let t: TestApp;
  let admin: SignedIn;
  beforeAll(async () => {
    t = await startApp({ DATABASE_URL: await ownDatabase('exports') });
    admin = await t.make.signedIn('admin', null);
  });
  afterAll(() => t.close());

  /** The bytes as they come: fetch would drop the mark at the beginning. */
  async function download(path: string, { client }: SignedIn = admin) {
    const response = await fetch(client.base + path, { headers: { authorization: `Bearer ${client.token}` } });
    const bytes = Buffer.from(await response.arrayBuffer());
    return { headers: response.headers, bytes, lines: parseCsv(bytes.subarray(3).toString()) };
  }

  it('come with a name, and as Excel and RFC 4180 want them', async () => {
    const gym = await t.make.gym();
    const { headers, bytes, lines } = await download(`/dashboard/members.csv?gym_id=${gym.id}`);
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    const today = new Date().toISOString().slice(0, 10);
    expect(headers.get('content-disposition')).toBe(`attachment; filename="members-${today}.csv"`);
    expect(bytes.toString()).toBe(`\ufeff${HEADER}\r\n`);
    expect(lines).toEqual([HEADER.split(',')]);
    const report = await download(`/dashboard/report.csv?gym_id=${gym.id}&from=2026-01-31&to=2026-02-01`);
    expect(report.headers.get('content-disposition')).toBe('attachment; filename="report-2026-01-31-2026-02-01.csv"');
    expect(report.bytes.toString()).toBe(
      '\ufeffdate,sales_amount,sale_count,plans_amount,plans_sold,visits,new_members\r\n' +
        '2026-01-31,0,0,0,0,0,0\r\n2026-02-01,0,0,0,0,0,0\r\n',
    );
  });

  it('say the same to HEAD, without reading all', async () => {
    const { client } = admin;
    const headers = { authorization: `Bearer ${client.token}` };
    const head = await fetch(`${client.base}/dashboard/members.csv`, { method: 'HEAD', headers });
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([
      ...[200, 'text/csv; charset=utf-8', ''],
    ]);
  });

  it('have a line for each member, with the plan that counts and the last visit, by the clock of the gym', async () => {
    const gym = await t.make.gym({ timezone: 'Pacific/Kiritimati' });
    const { client } = await t.make.signedIn('reception', gym.id);
    const plan = await t.make.plan(gym.id, { name: 'Coins', session_count: 7 });
    const bought = await t.make.person('user', gym.id, { full_name: 'Bob' });
    await t.make.userPlan(bought, plan);
    await t.make.visit(bought, '2026-01-01T12:00:00Z', '2026-01-01T13:00:00Z');
    await t.make.visit(bought, '2026-02-01T09:59:59.999Z', '2026-02-01T11:00:00Z');
    const elsewhere = await t.make.gym();
    await t.make.visit({ ...bought, gym_id: elsewhere.id }, '2026-03-01T12:00:00Z', '2026-03-01T13:00:00Z');
    const over = await t.make.person('user', gym.id, { full_name: 'Amy', is_active: false, phone_number: '0044 1' });
    const { id } = await t.make.userPlan(over, await t.make.plan(gym.id, { name: 'Monthly' }));
    await t.db.pool.query(
      `UPDATE user_plans SET starts_at = '2026-01-01Z', expires_at = '2026-01-31T00:00:00.5Z' WHERE id = $1`,
      [id],
    );
    await t.db.pool.query(`UPDATE users SET created_at = '2026-01-01T10:00Z' WHERE id = ANY($1)`, [
      [bought.id, over.id],
    ]);
    await client.post('/users/with-plan', {
      ...{ email: 'gone@example.com', full_name: 'Gone', document_id: 'GONE', phone_number: '12345', role: 'user' },
      plan_id: plan.id,
    });
    const [gone] = (await client.get('/users/search?q=gone@example.com')).body;
    await admin.client.delete(`/users/${gone.id}`);
    const { body } = await client.get('/dashboard/members.csv');
    expect(body).toBe(
      [
        HEADER,
        `${bought.id},Bob,${bought.email},,${bought.document_id},true,2026-01-02,Coins,active,,7,2026-02-01,${gym.id}`,
        `${over.id},Amy,${over.email},0044 1,${over.document_id},false,2026-01-02,Monthly,expired,2026-01-31T00:00:00.500Z,,,${gym.id}`,
        '',
      ].join('\r\n'),
    );
    expect(body).not.toMatch(/GYM-\d|\$2[aby]\$/);
  });

  it('can be read back, whatever a name is made of, and calculate nothing', async () => {
    const gym = await t.make.gym();
    const names = ['a "b" c', 'a,b', 'a\nb', 'a\r\nb', 'a\rb', '"', "'x", 'Zoë 漢字 🏋️', 'x;y', ' x ', '-', 'x=1'];
    const formulas = [`=cmd|'/c calc'!A0`, '+1 555 0100', '-1', '@SUM(A1)', '\tx', '\rx', '＝1'];
    const inside = [
      [`Zoe;=cmd|'/C calc'!A0;x`, `Zoe;'=cmd|'/C calc'!A0;x`],
      ['a;"=1', `a;'"=1`],
      ['a\t@1;-2;＋3', `a\t'@1;'-2;'＋3`],
      ['a\n+1', `a\n'+1`],
      ['a\r\n-1', `a\r\n'-1`],
      ['\t=1', `'\t'=1`],
    ] as const;
    for (const name of [...names, ...formulas, ...inside.map(([typed]) => typed)]) {
      await t.make.person('user', gym.id, { full_name: name, phone_number: '+1 555' });
    }
    const { lines } = await download(`/dashboard/members.csv?gym_id=${gym.id}`);
    const expected = [...names, ...formulas].map((name) => (/^[-=+@\t\r＝]/.test(name) ? `'${name}` : name));
    expect(lines.slice(1).map(([, name]) => name)).toEqual([...expected, ...inside.map(([, written]) => written)]);
    expect(lines[1]![3]).toBe("'+1 555");
    expect(lines.every((line) => line.length === HEADER.split(',').length)).toBe(true);
  });

  describe('of very many members', () => {
    let gym: { id: number };
    let manager: SignedIn;
    beforeAll(async () => {
      gym = await t.make.gym();
      manager = await t.make.signedIn('manager', gym.id);
      // Signs that no index is made of, so that the file is larger than what the network takes in advance.
      for (let first = 1; first <= MEMBERS; first += 5_000) {
        await t.db.pool.query(
          `INSERT INTO users (email, full_name, document_id, phone_number, gym_id, created_at)
           SELECT n || '@example.com', 'Member ' || n, 'M' || n, repeat('-', 600), $1,
             now() - n / 10 * interval '1 minute' FROM generate_series($2::int, $2 + 4999) n`,
          [gym.id, first],
        );
      }
      await t.db.pool.query('VACUUM ANALYZE users');
    }, 60_000);

    /** An answer of which nothing has been read. */
    const begin = ({ client }: SignedIn) =>
      new Promise<http.IncomingMessage>((resolve, reject) => {
        const headers = { authorization: `Bearer ${client.token}` };
        http.get(`${client.base}/dashboard/members.csv`, { headers, agent: false }, resolve).on('error', reject);
      });

    /** The pages that are asked for from now on. */
    function countPages() {
      const spy = jest.spyOn(t.db, 'rows');
      const count = () => spy.mock.calls.filter(([query]) => query.text.includes('last_visit_date')).length;
      return { count, stop: () => spy.mockRestore() };
    }

    it('have each of them once, in the order in which they joined', async () => {
      const { lines } = await download('/dashboard/members.csv', manager);
      expect(lines).toHaveLength(MEMBERS + 1);
      const numbers = lines.slice(1).map(([, name]) => Number(name!.split(' ')[1]));
      expect(new Set(numbers).size).toBe(MEMBERS);
      expect(
        numbers.every((n, index) => index === 0 || Math.floor(n / 10) <= Math.floor(numbers[index - 1]! / 10)),
      ).toBe(true);
    });

    it('are asked for page by page, as fast as the reader reads, who holds nothing meanwhile', async () => {
      const pages = countPages();
      const answer = await begin(manager);
      let asked = -1;
      while (asked !== pages.count()) {
        asked = pages.count();
        await sleep(700);
      }
      expect(asked).toBeLessThan((MEMBERS / PAGE) * 0.9);
      const { rows } = await t.db.pool.query(
        `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
      );
      expect(rows).toEqual([]);
      expect(await manager.client.get('/dashboard')).toHaveStatus(200);
      let lines = 0;
      for await (const chunk of answer) lines += (chunk as Buffer).toString('latin1').split('\n').length - 1;
      expect([lines, answer.complete]).toEqual([MEMBERS + 1, true]);
      expect(pages.count()).toBe(MEMBERS / PAGE);
      pages.stop();
    });

    it('stop being read when the reader has gone', async () => {
      const pages = countPages();
      (await begin(manager)).destroy();
      await sleep(500);
      const asked = pages.count();
      await sleep(500);
      expect(pages.count()).toBe(asked);
      expect(asked).toBeLessThan(MEMBERS / PAGE);
      pages.stop();
    });

    it('break off, and look like no whole file, when the database fails in between', async () => {
      const answer = await begin(manager);
      answer.pause();
      const rows = jest.spyOn(t.db, 'rows').mockRejectedValue(new Error('gone'));
      let bytes = 0;
      const read = async () => {
        for await (const chunk of answer) bytes += (chunk as Buffer).length;
      };
      await expect(read()).rejects.toThrow('aborted');
      rows.mockRestore();
      expect(answer.complete).toBe(false);
      expect(bytes).toBeGreaterThan(100_000);
    });

    it('say so with an error, when it fails before', async () => {
      await manager.client.get('/auth/me'); // so that the session is known
      const rows = jest.spyOn(t.db, 'rows').mockRejectedValue(new Unavailable());
      const answer = await manager.client.get('/dashboard/members.csv').finally(() => rows.mockRestore());
      expect(answer).toBeRefused(503, 'unavailable');
    });
  });
});
