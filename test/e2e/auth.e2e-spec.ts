import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';

describe('auth', () => {
  let t: TestApp;
  beforeAll(async () => void (t = await startApp()));
  afterAll(() => t.close());

  it('signs in by email', async () => {
    const gym = await t.make.gym();
    const trainer = await t.make.signedIn('trainer', gym.id);
    const { status, body } = await trainer.client.get('/auth/me');
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: trainer.id, role: 'trainer', gym });
  });
});
