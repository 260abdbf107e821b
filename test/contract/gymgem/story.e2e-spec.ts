import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../../support/app.js';
import { ownDatabase } from '../../support/database.js';
import { PASSWORD, unique } from '../../support/factory.js';
import { PlainClient } from '../../support/plain-client.js';
import { plain } from '../../support/plain-http.js';
import { asking, type Base, BASES, refusal } from './gymgem.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp({ DATABASE_URL: await ownDatabase('gymgem_story'), REGISTRATIONS_PER_ADDRESS: '100' });
  await t.make.gym();
});
afterAll(async () => {
  PlainClient.closeAll();
  await t.close();
});

/** A day with the app, as its clients make it; nothing is asked of the new API. */
describe.each([...BASES])('two people with the app at "%s"', (base: Base) => {
  const anyone = () => asking(t, base);
  const expiryOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).exp;

  async function join(name: string) {
    const username = unique(name);
    const account = { username, email: `${username}@example.com`, firstName: name, lastName: 'López' };
    const { body: made } = await anyone().post('accounts/', {
      ...{ ...account, password: PASSWORD, confirmPassword: PASSWORD },
    });
    const { status, body } = await anyone().post('auth/login', { username, password: PASSWORD });
    expect([status, body.account.id, body.account.username]).toEqual([200, made.id, username]);
    expect([body.data.access_token, body.data.refresh_token]).toEqual([body.access, body.refresh]);
    for (const token of [body.access, body.refresh]) expect(Number.isInteger(expiryOf(token))).toBe(true);
    return {
      id: made.id as number,
      username,
      access: body.access,
      refresh: body.refresh,
      ask: asking(t, base, body.access),
    };
  }

  it('meet, talk, give and take a course, and go', async () => {
    const [ana, tiago] = [await join('Ana'), await join('Tiago')];
    const wrong = await anyone().post('auth/login', { username: ana.username, password: 'wrong' });
    expect([wrong.status, wrong.body]).toEqual([401, refusal('Invalid credentials')]);
    expect((await anyone().post('auth/login', {})).status).toBe(400);

    // They find each other and talk.
    const known = (await ana.ask.get('accounts/')).body.find(({ username }: any) => username === tiago.username);
    const user2 = base ? -known.id : known.id;
    const { id } = (await ana.ask.post('chat/conversations/start/', { user2 })).body;
    const socketOf = (token: string) => PlainClient.open(`${t.url}${base}/ws/chat/${id}/?token=${token}`);
    const [hers, his] = [await socketOf(ana.access), await socketOf(tiago.access)];
    hers.send({ type: 'typing', is_typing: true });
    hers.send({ content: 'See you at six?' });
    const said = await his.next('chat_message');
    expect(said).toMatchObject({ sender: ana.username, content: 'See you at six?' });
    his.send({ type: 'read', message_id: said.message_id });
    expect((await hers.next('read_receipt')).reader).toBe(tiago.username);
    hers.send({ type: 'edit', message_id: said.message_id, new_content: 'At seven?', content: 'At seven?' });
    await his.next(base ? 'edit' : 'message_edited');
    await tiago.ask.post(`chat/conversations/${id}/send_message/`, { content: 'Yes' });
    expect(await hers.next(({ content }) => content === 'Yes')).toMatchObject({ sender: tiago.username });
    const { results } = (await ana.ask.get(`chat/conversations/${id}/messages/?page=1`)).body;
    const messages = base ? results.data : results;
    expect(messages.map(({ content, is_read }: any) => [content, is_read])).toEqual([
      ['At seven?', true],
      ['Yes', false],
    ]);

    // He is a trainer now, and publishes.
    const profile = (await asking(t, '/gymgem-web', tiago.access).post('profiles/create', { profile_type: 'trainer' }))
      .body;
    const again = await anyone().post('auth/login', {
      ...{ username: '', email: `${tiago.username}@example.com`, password: PASSWORD },
    });
    expect(again.body.account).toMatchObject({ profile_types: ['trainer'], current_profile: { id: profile.id } });
    const course = { title: 'Kettlebells', description: '', trainer_profile: profile.id, price: 20 };
    const made = await tiago.ask.post('courses/create/', course);
    expect([made.status, made.body]).toEqual([201, { id: made.body.id, ...course }]);
    expect((await ana.ask.get('courses/for-trainees/')).body[0]).toMatchObject({ trainer: 'Tiago López', price: 20 });

    // Tokens are refreshed by the one that she keeps, until she goes.
    for (const path of ['auth/refresh/', 'auth/refresh-token', 'auth/refresh/']) {
      const { status, body } = await anyone().post(path, { refresh: ana.refresh });
      expect([status, Object.keys(body)]).toEqual([200, ['access']]);
    }
    const headers = { refresh: ana.refresh, 'content-type': 'application/json' };
    const out = await plain('POST', `${t.url}${base}/api/auth/logout`, { token: ana.access, headers });
    expect([out.status, out.body]).toEqual([205, '']);
    expect(await hers.closed).toBe(4001);
    expect((await anyone().post('auth/refresh/', { refresh: ana.refresh })).status).toBe(401);
    expect((await ana.ask.get('accounts/')).status).toBe(401);
    expect((await tiago.ask.get('accounts/')).status).toBe(200);
  });
});
