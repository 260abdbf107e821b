import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../../support/app.js';
import { PNG, said } from '../../support/chat.js';
import { ownDatabase } from '../../support/database.js';
import { type SignedIn, unique } from '../../support/factory.js';
import { plain } from '../../support/plain-http.js';
import { asking, type Asking, type Base, BASES, idAt, refusal } from './gymgem.js';

const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

let t: TestApp;
let gym: { id: number };
beforeAll(async () => {
  t = await startApp({ DATABASE_URL: await ownDatabase('gymgem_chat') });
  gym = await t.make.gym();
});
afterAll(() => t.close());

/** A member with a username. */
async function newMember(): Promise<SignedIn & { username: string }> {
  const username = unique('tiago');
  return { ...(await t.make.signedIn('user', gym.id, { username, full_name: `Full ${username}` })), username };
}
type Member = Awaited<ReturnType<typeof newMember>>;

describe.each([...BASES])('conversations of gymgem at "%s"', (base: Base) => {
  let one: Member;
  let two: Member;
  let outsider: Member;
  beforeEach(async () => {
    [one, two, outsider] = [await newMember(), await newMember(), await newMember()];
  });

  const as = ({ access_token }: SignedIn): Asking => asking(t, base, access_token);
  const start = (me: SignedIn, other: { id: number }) =>
    as(me).post('chat/conversations/start/', { user2: idAt(base, other) });
  const started = async () => (await start(one, two)).body.id as number;
  const participants = () =>
    [one, two].toSorted((a, b) => a.id - b.id).map(({ id, username }) => ({ id: idAt(base, { id }), username }));
  /** A message as this base has it. */
  const message = (sender: Member, content: string, more = {}) => ({
    ...{ id: expect.any(Number), content, attachment: null, timestamp: moment },
    ...{ is_read: false, read_at: null, is_deleted: false, edited_at: null, ...more },
    // To members other members are known by their username.
    ...(base ? { sender: -sender.id, sender_name: sender.username } : { sender: sender.username }),
  });
  /** The messages in a page. */
  const inPage = ({ results }: any) => (base ? results.data : results);

  it('are started once', async () => {
    const first = await start(one, two);
    expect([first.status, first.body]).toEqual([
      201,
      { id: expect.any(Number), participants: participants().map(({ id }) => id), created_at: moment },
    ]);
    const again = await start(two, one);
    expect([again.status, again.body]).toEqual([200, first.body]);
    const asText = await as(one).post('chat/conversations/start/', { user2: String(idAt(base, two)) });
    expect([asText.status, asText.body]).toEqual([200, first.body]);
    const self = await start(one, one);
    expect([self.status, self.body]).toEqual([400, refusal(expect.any(String))]);
    for (const nobody of [{ id: 2_147_483_647 }, await t.make.person('user', (await t.make.gym()).id)]) {
      const { status, body } = await start(one, nobody);
      expect([status, body]).toEqual([404, refusal('Account not found')]);
    }
    for (const body of [{}, { user2: 'x' }, { user2: 1.5 }]) {
      expect((await as(one).post('chat/conversations/start', body)).status).toBe(400);
    }
  });

  it('are read, named and left by the two alone', async () => {
    const id = await started();
    const conversation = { id, participants: participants(), created_at: moment };
    const { status, body } = await as(one).get(`chat/conversations/${id}/`);
    expect([status, body]).toEqual([200, conversation]);
    const renamed = await as(one).put(`chat/conversations/${id}/`, { title: 'Knee' });
    expect([renamed.status, renamed.body]).toEqual([200, conversation]);
    expect((await one.client.get(`/chat/conversations/${id}`)).body.title).toBe('Knee');

    const path = `chat/conversations/${id}/`;
    const refused = await Promise.all([
      as(outsider).get(path),
      as(outsider).put(path, { title: 'Mine' }),
      as(outsider).delete(path),
      as(outsider).get(`${path}messages/`),
      as(outsider).post(`${path}send_message/`, { content: 'Hello' }),
    ]);
    for (const answer of refused) {
      expect([answer.status, answer.body]).toEqual([403, refusal('You are not a participant in this conversation')]);
    }
    for (const nothing of ['2147483647', '0', 'x', '99999999999']) {
      const answer = await as(one).get(`chat/conversations/${nothing}/`);
      expect([answer.status, answer.body]).toEqual([404, refusal('Conversation not found')]);
    }
    const left = await as(one).delete(path);
    expect([left.status, left.body]).toEqual([204, '']);
    expect((await as(one).get(path)).status).toBe(404);
    expect((await as(two).get(path)).status).toBe(200);
  });

  it('take messages as JSON and as forms', async () => {
    const id = await started();
    const path = `chat/conversations/${id}/send_message/`;
    const { status, body } = await as(one).post(path, { content: ' Hello ', attachment: null });
    expect([status, body]).toEqual([201, message(one, 'Hello')]);

    const url = `${t.url}${base}/api/${path}`;
    const form = new FormData();
    form.set('content', '');
    form.set('attachment', new Blob([PNG], { type: 'image/png' }), 'knee.png');
    const sent = await plain('POST', url, { token: two.access_token, body: form });
    expect([sent.status, sent.body]).toEqual([
      201,
      message(two, '', { attachment: expect.stringMatching(/^\/api\//) }),
    ]);
    // Some clients put their base in front of the path.
    for (const address of [t.url, t.url + base]) {
      const file = await fetch(address + sent.body.attachment);
      expect([file.status, Buffer.from(await file.arrayBuffer())]).toEqual([200, PNG]);
    }
    const text = new FormData();
    text.set('content', 'Only text');
    expect((await plain('POST', url, { token: two.access_token, body: text })).body.content).toBe('Only text');

    const blank = new FormData();
    blank.set('content', '   ');
    const refused = [
      await plain('POST', url, { token: two.access_token, body: blank }),
      await as(one).post(path, {}),
      await as(one).post(path, { content: '  ' }),
      await as(one).post(path, { content: 7 }),
      await as(one).post(path, { content: 'x'.repeat(5_001) }),
    ];
    for (const answer of refused) expect([answer.status, answer.body]).toEqual([400, refusal(expect.any(String))]);
  });

  it('give messages by pages, with whole addresses', async () => {
    const id = await started();
    const talk = await t.make.conversation(
      one,
      two,
      ...Array.from({ length: 121 }, (_, n) => ({ by: n % 2 ? two : one, content: `message ${n}` })),
    );
    await one.client.delete(`/chat/messages/${talk.message_ids[120]}`);
    const ids = talk.message_ids.slice(0, 120);
    const path = `chat/conversations/${id}/messages/`;
    const address = (page: number, more = '') => `${t.url}${base}/api/${path}?${more}page=${page}`;
    const page = async (url: string) => {
      const { status, body } = await plain('GET', url, { token: one.access_token });
      expect(status).toBe(200);
      if (base) expect(body.results.owner).toBe(-one.id);
      return { ...body, ids: inPage(body).map((found: any) => found.id) };
    };

    const first = await page(`${t.url}${base}/api/${path}`);
    expect(first).toMatchObject({ count: 120, next: address(2), previous: null });
    expect(first.ids).toEqual(base ? ids.slice(70) : ids.slice(0, 50));
    const author = base ? two : one;
    expect(inPage(first)[base ? 49 : 0]).toEqual(message(author, base ? 'message 119' : 'message 0'));
    const second = await page(first.next);
    expect(second.ids).toEqual(base ? ids.slice(20, 70) : ids.slice(50, 100));
    expect(second).toMatchObject({ next: address(3), previous: address(1) });
    const third = await page(second.next);
    expect(third.ids).toEqual(base ? ids.slice(0, 20) : ids.slice(100));
    expect(third.next).toBeNull();
    const large = await page(`${t.url}${base}/api/${path}?page_size=100&page=1`);
    expect([large.ids.length, large.next]).toEqual([100, address(2, 'page_size=100&')]);
    expect((await page(`${t.url}${base}/api/${path}?page=x&page_size=-1`)).ids).toEqual(first.ids);
    expect(await page(`${t.url}${base}/api/${path}?page=9`)).toMatchObject({
      ids: [],
      next: null,
      previous: address(3),
    });
  });

  it('cut a page that is too large', async () => {
    const id = await started();
    await t.db.pool.query(
      `INSERT INTO messages (conversation_id, sender_id, content, timestamp)
       SELECT $1, $2, 'many', now() FROM generate_series(1, 600)`,
      [id, one.id],
    );
    const { body } = await as(one).get(`chat/conversations/${id}/messages/?page_size=5000`);
    expect([inPage(body).length, body.count]).toEqual([500, 600]);
  });

  it('call one who has no username by the email', async () => {
    const mail = await t.make.signedIn('user', gym.id);
    const { body } = await start(mail, one);
    expect((await as(one).get(`chat/conversations/${body.id}`)).body.participants).toContainEqual({
      ...{ id: idAt(base, mail), username: mail.email },
    });
    await said(mail, body.id, 'Hello');
    const [first] = inPage((await as(one).get(`chat/conversations/${body.id}/messages`)).body);
    expect(first).toMatchObject(base ? { sender: -mail.id, sender_name: mail.email } : { sender: mail.email });
  });
});

describe('the list of conversations', () => {
  it('is a bare array for the first clients', async () => {
    const [me, ana, bob] = [await newMember(), await newMember(), await newMember()];
    const ask = asking(t, '', me.access_token);
    const ids = [];
    for (const other of [ana, bob]) {
      ids.unshift((await ask.post('chat/conversations/start/', { user2: other.id })).body.id);
    }
    const { status, body } = await ask.get('chat/conversations/');
    expect([status, body.map(({ id }: any) => id)]).toEqual([200, ids]);
    expect(Object.keys(body[0])).toEqual(['id', 'participants', 'created_at']);
    expect((await ask.get(`chat/conversations/?search=${ana.username.toUpperCase()}`)).body).toEqual([body[1]]);
    expect((await ask.get('chat/conversations/?search=')).body).toEqual(body);
    // By what is shown: of one without a username that is the email.
    const mail = await t.make.signedIn('user', gym.id);
    const { id } = (await ask.post('chat/conversations/start/', { user2: mail.id })).body;
    const found = async (text: string) => (await ask.get(`chat/conversations/?search=${text}`)).body;
    expect(await found(encodeURIComponent(mail.email))).toMatchObject([{ id }]);
    // Of one who was deleted it is shown that they were.
    await (await t.make.signedIn('admin', null)).client.delete(`/users/${mail.id}`);
    expect((await found('deleted'))[0].participants).toContainEqual({ id: mail.id, username: 'Deleted' });
    expect((await ask.get('chat/conversations?search=nothing-like-it')).body).toEqual([]);
  });

  it('is a page with the other for later ones', async () => {
    const [me, member] = [await newMember(), await newMember()];
    const trainer = await t.make.signedIn('trainer', gym.id, { full_name: 'Tiago Moreira', username: unique('coach') });
    const profile = (await trainer.client.post(`/accounts/${trainer.id}/profiles`, { profile_type: 'trainer' })).body;
    const ask = asking(t, '/gymgem-web', me.access_token);
    const quiet = (await ask.post('chat/conversations/start/', { target_user_id: -member.id })).body;
    const talk = (await ask.post('chat/conversations/start/', { target_user_id: profile.id })).body;
    expect(talk.participants.toSorted()).toEqual([-me.id, profile.id].toSorted());
    await said(trainer, talk.id, 'First');
    const last = await said(trainer, talk.id, 'Second');
    const gone = await said(trainer, talk.id, 'Third');
    await trainer.client.delete(`/chat/messages/${gone.id}`);

    const { status, body } = await ask.get('chat/conversations/');
    expect([status, body]).toEqual([
      200,
      {
        ...{ count: 2, next: null, previous: null },
        results: [
          {
            ...talk,
            participants: expect.arrayContaining([
              { id: -me.id, username: me.username },
              { id: profile.id, username: expect.stringMatching(/^coach/) },
            ]),
            ...{ other_participant_id: profile.id, other_participant_name: 'Tiago Moreira' },
            ...{ other_participant_role: 'trainer', other_participant_profile_picture: null },
            last_message: { content: 'Second', attachment: null, timestamp: last.timestamp },
            ...{ last_message_timestamp: last.timestamp, unread_count: 2 },
          },
          {
            ...quiet,
            participants: expect.any(Array),
            ...{ other_participant_id: -member.id, other_participant_name: member.username },
            ...{ other_participant_role: null, other_participant_profile_picture: null },
            ...{ last_message: null, last_message_timestamp: quiet.created_at, unread_count: 0 },
          },
        ],
      },
    ]);
    const found = (await ask.get(`chat/conversations/?page_size=1&search=${member.username}`)).body;
    expect([found.count, found.results[0].id]).toEqual([1, quiet.id]);
    const first = (await ask.get('chat/conversations/?page_size=1')).body;
    expect(first.next).toBe(`${t.url}/gymgem-web/api/chat/conversations/?page_size=1&page=2`);

    // One is known by the profile that was chosen last.
    const { id: store } = (await trainer.client.post(`/accounts/${trainer.id}/profiles`, { profile_type: 'store' }))
      .body;
    const now = (await ask.get('chat/conversations/')).body.results[0];
    expect([now.other_participant_id, now.other_participant_role]).toEqual([store, 'store']);
    const theirs = asking(t, '/gymgem-web', trainer.access_token);
    expect((await theirs.get(`chat/conversations/${talk.id}/messages`)).body.results.owner).toBe(store);
    // The other profiles go on leading to the same person.
    const again = await ask.post('chat/conversations/start/', { user2: profile.id });
    expect([again.status, again.body.id]).toEqual([200, talk.id]);
  });

  it('has the addresses that the proxies say', async () => {
    const known = await startApp({
      ...{ DATABASE_URL: t.config.DATABASE_URL!, PUBLIC_URL: 'https://gym.example/', TRUST_PROXY_HOPS: '1' },
    });
    const proxied = await startApp({ DATABASE_URL: t.config.DATABASE_URL!, TRUST_PROXY_HOPS: '1' });
    try {
      const [me, ana, bob] = [await newMember(), await newMember(), await newMember()];
      for (const other of [ana, bob]) await me.client.post('/chat/conversations/start', { user2: other.id });
      const path = '/gymgem-web/api/chat/conversations/?page_size=1';
      const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'app.example' };
      const next = async (app: TestApp) =>
        (await plain('GET', app.url + path, { token: me.access_token, headers })).body.next;
      expect(await next(known)).toBe(`https://gym.example${path}&page=2`);
      expect(await next(proxied)).toBe(`https://app.example${path}&page=2`);
      expect(await next(t)).toBe(`${t.url}${path}&page=2`);
    } finally {
      await known.close();
      await proxied.close();
    }
  });
});
