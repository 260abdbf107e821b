import { execFile } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Runner } from 'graphile-worker';
import { type JobName, JobsService, SCHEDULE } from '../../src/jobs/jobs.service.js';
import { startApp, type TestApp } from '../support/app.js';
import { SocketClient } from '../support/socket-client.js';
import { ownDatabase } from '../support/database.js';

const NAMES = Object.keys(SCHEDULE) as JobName[];

describe('jobs by the clock', () => {
  let t: TestApp;
  let DATABASE_URL: string;
  beforeAll(async () => {
    DATABASE_URL = await ownDatabase('jobs');
    t = await startApp({ DATABASE_URL });
  });
  afterAll(() => t.close());

  const lastRun = async (name: JobName) => {
    const { body } = await t.anonymous.get(`${t.url}/health/ready`);
    return body.jobs.find((run: { name: string }) => run.name === name);
  };
  const metrics = async () => (await t.anonymous.get(`${t.url}/metrics`)).body as string;

  it.each(NAMES)('do %s twice as well as once, and show when it was done', async (name) => {
    const before = Date.now() - 1000;
    const jobs = t.app.get(JobsService);
    await Promise.all([jobs.run(name), jobs.run(name)]);
    const run = await lastRun(name);
    expect(run).toEqual({
      name,
      started_at: expect.any(String),
      finished_at: expect.any(String),
      is_ok: true,
      succeeded_at: expect.any(String),
    });
    expect(Date.parse(run.started_at)).toBeGreaterThan(before);
    expect(Date.parse(run.succeeded_at)).toBeGreaterThanOrEqual(Date.parse(run.started_at));
    const shown = new RegExp(`^job_last_success_timestamp_seconds\\{job="${name}"\\} (\\S+)$`, 'm').exec(
      await metrics(),
    );
    expect(Number(shown![1]) * 1000).toBeCloseTo(Date.parse(run.succeeded_at), -1);
  });

  it('that start again while the server stops end with it', async () => {
    const stopping = await startApp({ DATABASE_URL: await ownDatabase('jobs_stopping') });
    const jobs = stopping.app.get<Record<'start', () => Promise<void>> & Record<'runner', Promise<Runner>>>(
      JobsService,
    );
    // The one before has died, as it does while the database is away.
    await (await jobs.runner).stop();
    const started = jobs.start();
    await stopping.close();
    await started;
    const { promise } = await jobs.runner;
    const later = sleep(1_000, 'goes on', { ref: false });
    expect(await Promise.race([promise.then(() => 'ended'), later])).toBe('ended');
  });

  it('forget messages that no socket can miss any more, and those alone', async () => {
    const insert = (name: string, age: string) =>
      t.db.pool.query(
        `INSERT INTO socket_messages (namespace, rooms, message, created_at)
         SELECT $1, '{}', '{}', now() - $2::interval FROM generate_series(1, 3)`,
        [name, age],
      );
    const kept = async () => {
      const text = `SELECT namespace, count(*)::int FROM socket_messages WHERE namespace IN ('old', 'new') GROUP BY 1`;
      return (await t.db.pool.query(text)).rows;
    };
    await t.db.pool.query('DELETE FROM socket_messages');
    await insert('old', '10 minutes');
    await insert('new', '1 minute');
    await t.app.get(JobsService).run('purge_socket_messages');
    expect(await kept()).toEqual([{ namespace: 'new', count: 3 }]);
    await t.db.pool.query(`UPDATE socket_messages SET created_at = now() - interval '10 minutes'`);
    await t.app.get(JobsService).run('purge_socket_messages');
    expect(await kept()).toEqual([]);
  });

  it('show a failure, and when it was last done', async () => {
    const jobs = t.app.get(JobsService);
    await jobs.run('purge_attempts');
    const { succeeded_at } = await lastRun('purge_attempts');
    await t.db.pool.query('ALTER TABLE attempt_budgets RENAME TO away');
    await expect(jobs.run('purge_attempts')).rejects.toThrow();
    expect(await lastRun('purge_attempts')).toMatchObject({ is_ok: false, succeeded_at });
    await t.db.pool.query('ALTER TABLE away RENAME TO attempt_budgets');
    await jobs.run('purge_attempts');
    expect((await lastRun('purge_attempts')).is_ok).toBe(true);
  });

  it('tell the screens once of plans that end, or run again, only because time passes', async () => {
    const jobs = t.app.get(JobsService);
    const gym = await t.make.gym();
    const { access_token: token } = await t.make.signedIn('reception', gym.id);
    const screen = await SocketClient.connect(t.url, '/checkins', { token });
    const plan = await t.make.plan(gym.id);
    const [ends, runsAgain, goesOn] = await Promise.all([1, 2, 3].map(() => t.make.person('user', gym.id)));
    for (const member of [ends!, runsAgain!, goesOn!]) await t.make.userPlan(member, plan);
    await jobs.run('tell_plans');
    const change = (member: { id: number }, what: string) =>
      t.db.pool.query(`UPDATE user_plans SET ${what} WHERE user_id = $1`, [member.id]);
    await change(ends!, `starts_at = now() - interval '30 days', expires_at = moment()`);
    await change(runsAgain!, `frozen_at = now() - interval '2 days', frozen_until = moment()`);
    await jobs.run('tell_plans');
    const heard = (status: string, { id }: { id: number }) =>
      screen.next('membership_changed', (told) => told.user_id === id && told.membership.status === status);
    await heard('expired', ends!);
    await heard('active', runsAgain!);
    await jobs.run('tell_plans');
    await change(goesOn!, `starts_at = now() - interval '30 days', expires_at = moment()`);
    await jobs.run('tell_plans');
    await heard('expired', goesOn!);
    // In the order in which they were told: what the second run had to say came before.
    const told = screen.all('membership_changed').map(({ user_id }) => user_id);
    expect(told.toSorted()).toEqual([ends!.id, runsAgain!.id, goesOn!.id].toSorted());
    screen.close();
  });

  describe('by hand', () => {
    const run = (options: string[]) =>
      new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
        const program = path.resolve('dist/src/cli/jobs-run.js');
        const settings = {
          JWT_SECRET: 'a secret that only the tests know, of some length',
          ENCRYPTION_KEYS: 'test:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdC0=',
          FINGERPRINT_KEYS: 'test:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdC0=',
        };
        const env = { PATH: process.env.PATH, HOME: process.env.HOME, DATABASE_URL, LOG_LEVEL: 'error', ...settings };
        execFile(process.execPath, [program, ...options], { env, cwd: os.tmpdir() }, (error, stdout, stderr) =>
          resolve({ code: error?.code ?? 0, stdout, stderr }),
        );
      });

    it('do one beside a server that runs', async () => {
      const before = await lastRun('purge_sessions');
      expect(await run(['purge_sessions'])).toEqual({
        code: 0,
        stdout: expect.stringMatching(/^purge_sessions is done, after \d+ ms\.\n$/),
        stderr: '',
      });
      expect(Date.parse((await lastRun('purge_sessions')).succeeded_at)).toBeGreaterThan(
        Date.parse(before.succeeded_at),
      );
    });

    it.each([[[]], [['purge_everything']], [['toString']], [NAMES.slice(0, 2)]])(
      'name what there is to %j',
      async (options) => {
        const { code, stderr } = await run(options);
        expect(code).toBe(1);
        expect(stderr).toBe(`jobs:run takes the name of one job: ${NAMES.join(', ')}.\n`);
      },
    );
  });
});
