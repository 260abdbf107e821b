import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MessagesService } from '../../src/chat/messages.service.js';
import { between, IN_ORDER, NEWEST_FIRST } from '../../src/chat/chat.sql.js';
import { everyGym, raw } from '../../src/database/sql.js';
import { times } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import { conversationOf, messagesOf, said, say, start } from '../support/chat.js';
import { ownDatabase } from '../support/database.js';
import { type SignedIn, unique } from '../support/factory.js';
import { plansOf } from '../support/plans.js';

describe('chat', () => {
  let t: TestApp;
  let gym: { id: number };
  let other: { id: number };
  let admin: SignedIn;
  beforeAll(async () => {
    t = await startApp({ DATABASE_URL: await ownDatabase('chat') });
    [gym, other] = [await t.make.gym(), await t.make.gym()];
    admin = await t.make.signedIn('admin', null);
  });
  afterAll(() => t.close());

  const member = (fields?: object) => t.make.signedIn('user', gym.id, { username: unique('u'), ...fields });
  const trainer = (gymId = gym.id) => t.make.signedIn('trainer', gymId, { username: unique('t') });
  /** Two who talk. */
  async function pair(): Promise<[SignedIn, SignedIn, number]> {
    const [one, two] = [await member(), await trainer()];
    return [one, two, await start(one, two)];
  }
  const list = async ({ client }: SignedIn, query = '') => (await client.get(`/chat/conversations${query}`)).body;
  const leave = ({ client }: SignedIn, id: number) => client.delete(`/chat/conversations/${id}`);
  const read = ({ client }: SignedIn, id: number) => client.post(`/chat/messages/${id}/read`);
  const edit = ({ client }: SignedIn, id: number, content: string) =>
    client.send('PATCH', `/chat/messages/${id}`, { content });
  const remove = ({ client }: SignedIn, id: number) => client.delete(`/chat/messages/${id}`);

  describe('a conversation', () => {
    it('is one for each pair, no matter who starts it', async () => {
      const [one, two] = [await member(), await trainer()];
      const first = await one.client.post('/chat/conversations/start', { user2: two.id });
      expect(first).toHaveStatus(201);
      const again = await two.client.post('/chat/conversations/start', { user2: one.id });
      expect(again).toHaveStatus(200);
      expect(again.body).toEqual(first.body);
      expect(first.body).toMatchObject({ title: null, last_message: null, unread_count: 0, last_message_at: null });
      const [mine, theirs] = [one, two].map(({ id }) => first.body.participants.find((p: any) => p.id === id));
      expect([mine.full_name, theirs.full_name]).toEqual([expect.any(String), expect.any(String)]);
      expect(Object.keys(mine).toSorted()).toEqual(['full_name', 'id', 'username']);
    });

    it('is one, though both start it 20 times at once', async () => {
      for (let round = 0; round < 20; round++) {
        const [one, two] = [await t.make.signedIn('trainer', gym.id), await trainer()];
        const answers = await times(10, (index) =>
          index % 2
            ? one.client.post('/chat/conversations/start', { user2: two.id })
            : two.client.post('/chat/conversations/start', { user2: one.id }),
        );
        expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
        expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(9);
      }
    });

    it('begins with the people of their gym and every trainer; that of an admin with all', async () => {
      const me = await member();
      const tryToStart = ({ client }: SignedIn, id: number) => client.post('/chat/conversations/start', { user2: id });
      expect(await tryToStart(me, me.id)).toHaveWrongFields('user2');
      const [near, far] = [await t.make.person('user', gym.id), await t.make.person('user', other.id)];
      const [farTrainer, gone] = [await t.make.person('trainer', other.id), await t.make.person('user', gym.id)];
      const asleep = await t.make.person('user', gym.id, { is_active: false });
      await admin.client.delete(`/users/${gone.id}`);
      for (const { id } of [near, farTrainer]) expect(await tryToStart(me, id)).toHaveStatus(201);
      for (const id of [far.id, gone.id, asleep.id, 2_000_000_000]) {
        expect(await tryToStart(me, id)).toBeRefused(404, 'user_not_found');
      }
      expect(await tryToStart(admin, far.id)).toHaveStatus(201);
      expect(await tryToStart(await t.make.signedIn('manager', gym.id), far.id)).toBeRefused(404, 'user_not_found');
    });

    it('goes on when the other moves, and rests when they are deactivated', async () => {
      const [one, two, id] = await pair();
      const her = await t.make.signedIn('user', gym.id);
      const hers = await start(two, her);
      expect(await admin.client.put(`/users/${her.id}`, { gym_id: other.id })).toHaveStatus(200);
      expect(await say(two, hers, 'Still there?')).toHaveStatus(201);
      expect(await two.client.post('/chat/conversations/start', { user2: her.id })).toHaveStatus(200);
      await admin.client.put(`/users/${one.id}`, { is_active: false });
      expect(await say(two, id, 'Hello?')).toBeRefused(409, 'person_not_active');
      expect((await conversationOf(two, id)).id).toBe(id);
      expect(await two.client.post('/chat/conversations/start', { user2: one.id })).toHaveStatus(200);
      await admin.client.put(`/users/${one.id}`, { is_active: true });
      expect(await say(two, id, 'Welcome back')).toHaveStatus(201);
    });

    it('has a title for each of the two, and gives back what PUT takes', async () => {
      const [one, two, id] = await pair();
      const renamed = await one.client.put(`/chat/conversations/${id}`, { title: '  Knee  ' });
      expect(renamed.body.title).toBe('Knee');
      expect((await conversationOf(two, id)).title).toBeNull();
      expect((await one.client.put(`/chat/conversations/${id}`, renamed.body)).body).toEqual(renamed.body);
      expect((await one.client.put(`/chat/conversations/${id}`, {})).body.title).toBe('Knee');
      expect((await one.client.put(`/chat/conversations/${id}`, { title: null })).body.title).toBeNull();
      expect(await one.client.put(`/chat/conversations/${id}`, { title: ' ' })).toHaveWrongFields('title');
    });

    it('is of two, and of no one else: not of an admin, a manager, or another member', async () => {
      const [one, two, id] = await pair();
      const { id: messageId } = await said(one, id, 'Between us');
      for (const stranger of [admin, await t.make.signedIn('manager', gym.id), await member()]) {
        const { client } = stranger;
        for (const path of [`/chat/conversations/${id}`, `/chat/conversations/${id}/messages`]) {
          expect(await client.get(path)).toBeRefused(404, 'conversation_not_found');
        }
        expect(await client.put(`/chat/conversations/${id}`, { title: 'x' })).toBeRefused(
          404,
          'conversation_not_found',
        );
        expect(await leave(stranger, id)).toBeRefused(404, 'conversation_not_found');
        expect(await say(stranger, id, 'x')).toBeRefused(404, 'conversation_not_found');
        expect(await edit(stranger, messageId, 'x')).toBeRefused(404, 'message_not_found');
        expect(await remove(stranger, messageId)).toBeRefused(404, 'message_not_found');
        expect(await read(stranger, messageId)).toBeRefused(404, 'message_not_found');
        expect((await list(stranger)).map((c: any) => c.id)).not.toContain(id);
      }
      expect((await messagesOf(two, id)).map(({ content }) => content)).toEqual(['Between us']);
    });

    it('is listed by the last word in it, and found by the name or username of the other', async () => {
      const me = await trainer();
      const mark = unique('x').slice(2);
      const people = [
        await member({ full_name: `Zoë Ünal ${mark}` }),
        await member({ full_name: `Ana ${mark}`, username: `swimmer.${mark}` }),
        await member({ full_name: `محمد ${mark}` }),
      ];
      const ids: number[] = [];
      for (const person of people) ids.push(await start(me, person));
      expect((await list(me)).map((c: any) => c.id)).toEqual(ids.toReversed());
      const sent = await said(people[0]!, ids[0]!, 'First!');
      const [top] = await list(me);
      expect(top).toMatchObject({ id: ids[0], unread_count: 1, last_message_at: sent.timestamp });
      expect(top.last_message).toEqual(sent);
      expect((await me.client.all('/chat/conversations?limit=1')).map(({ id }) => id)).toEqual([
        ids[0],
        ids[2],
        ids[1],
      ]);
      const found = async (typed: string) =>
        (await list(me, `?search=${encodeURIComponent(typed)}`)).map((c: any) => ids.indexOf(c.id));
      expect(await found('zoe')).toEqual([0]);
      expect(await found(`ünal ${mark}`)).toEqual([0]);
      expect(await found('SWIMMER')).toEqual([1]);
      expect(await found('محمد')).toEqual([2]);
      expect(await found(mark)).toEqual([0, 2, 1]);
      expect(await found('')).toEqual([0, 2, 1]);
      for (const none of ['example.com', '%', '_', 'nobody here']) expect(await found(none)).toEqual([]);
    });

    it('tells a member the username of another member, and not the name', async () => {
      const username = unique('known');
      const [one, friend, staff] = [
        await member(),
        await member({ full_name: 'Hidden Name', username }),
        await trainer(),
      ];
      const id = await start(one, friend);
      const message = await said(friend, id, 'Hello');
      expect(message.sender).toEqual({ id: friend.id, username, full_name: null });
      const [seen] = await list(one);
      expect(JSON.stringify([seen, await messagesOf(one, id)])).not.toContain('Hidden');
      expect(seen.participants.find((p: any) => p.id === friend.id)).toEqual(message.sender);
      expect(await list(one, '?search=hidden')).toEqual([]);
      expect(await list(one, `?search=${username}`)).toHaveLength(1);
      const atTheDesk = await start(friend, staff);
      expect((await said(friend, atTheDesk, 'Hello')).sender.full_name).toBe('Hidden Name');
      expect(await list(staff, '?search=hidden')).toHaveLength(1);
    });

    it('that one leaves is gone for them, comes back without the old, and is gone when both have left', async () => {
      const [one, two, id] = await pair();
      await one.client.put(`/chat/conversations/${id}`, { title: 'Old' });
      const old = await said(two, id, 'Old');
      expect(await leave(one, id)).toHaveStatus(204);
      expect(await leave(one, id)).toBeRefused(404, 'conversation_not_found');
      expect(await list(one)).toEqual([]);
      expect(await one.client.get(`/chat/conversations/${id}/messages`)).toHaveStatus(404);
      expect(await say(one, id, 'x')).toHaveStatus(404);
      expect(await read(one, old.id)).toHaveStatus(404);
      expect((await messagesOf(two, id)).map((m) => m.content)).toEqual(['Old']);

      const fresh = await said(two, id, 'New');
      expect(await list(one)).toMatchObject([{ id, title: null, unread_count: 1, last_message: { content: 'New' } }]);
      expect((await messagesOf(one, id)).map((m) => m.content)).toEqual(['New']);
      expect(await one.client.get(`/chat/conversations/${id}/messages?before_id=${fresh.id}`)).toHaveStatus(200);
      expect((await one.client.get(`/chat/conversations/${id}/messages?before_id=${fresh.id}`)).body).toEqual([]);
      expect(await read(one, old.id)).toHaveStatus(404);

      await leave(one, id);
      expect(await one.client.post('/chat/conversations/start', { user2: two.id })).toHaveStatus(200);
      expect(await list(one)).toMatchObject([{ id, unread_count: 0, last_message: null }]);
      expect((await messagesOf(two, id)).map((m) => m.content)).toEqual(['Old', 'New']);

      await leave(one, id);
      await leave(two, id);
      expect(await t.db.query(everyGym`SELECT FROM conversations WHERE id = ${id}`)).toEqual([]);
      expect(await t.db.query(everyGym`SELECT FROM messages WHERE conversation_id = ${id}`)).toEqual([]);
      expect(await one.client.post('/chat/conversations/start', { user2: two.id })).toHaveStatus(201);
    });

    it('loses what a deleted person wrote; the other keeps the rest, and can leave', async () => {
      const [one, two, id] = await pair();
      const [hers, mine] = [await said(one, id, 'Secret'), await said(two, id, 'Mine')];
      await two.client.put(`/chat/conversations/${id}`, { title: 'Her knee' });
      expect(await admin.client.delete(`/users/${one.id}`)).toHaveStatus(204);
      expect(await conversationOf(two, id)).toMatchObject({ title: null, unread_count: 0 });
      expect(await messagesOf(two, id)).toMatchObject([
        { id: hers.id, content: null, is_deleted: true, sender: { full_name: 'Deleted', username: null } },
        { id: mine.id, content: 'Mine', is_deleted: false },
      ]);
      expect(await say(two, id, 'x')).toBeRefused(409, 'person_not_active');
      expect(await two.client.post('/chat/conversations/start', { user2: one.id })).toBeRefused(404, 'user_not_found');
      expect(await read(two, mine.id)).toHaveStatus(200);
      expect(await remove(two, mine.id)).toHaveStatus(204);
      expect(await leave(two, id)).toHaveStatus(204);
      expect(await t.db.query(everyGym`SELECT FROM conversations WHERE id = ${id}`)).toEqual([]);
    });

    it('is gone with the second of its people to be deleted', async () => {
      const [one, two, id] = await pair();
      await said(one, id, 'x');
      for (const person of [one, two]) await admin.client.delete(`/users/${person.id}`);
      expect(await t.db.query(everyGym`SELECT FROM conversations WHERE id = ${id}`)).toEqual([]);
    });
  });

  describe('a message', () => {
    it('is what its sender wrote', async () => {
      const [one, two, id] = await pair();
      const message = await said(one, id, '  See you at six? 💪\n\n  مرحبا ');
      expect(message).toEqual({
        ...{ id: expect.any(Number), conversation_id: id, content: 'See you at six? 💪\n\n  مرحبا' },
        sender: { id: one.id, username: expect.any(String), full_name: expect.any(String) },
        ...{ attachment: null, timestamp: expect.any(String), is_read: false, read_at: null },
        ...{ is_deleted: false, edited_at: null },
      });
      expect(await messagesOf(two, id)).toEqual([message]);
    });

    it('has 1 to 5,000 characters as people count them', async () => {
      const [one, , id] = await pair();
      expect((await said(one, id, '💪'.repeat(5000))).content).toHaveLength(10_000);
      expect(await say(one, id, '💪'.repeat(5001))).toHaveWrongFields('content');
      // Two ways to write é: as it is stored, it is one character.
      expect((await said(one, id, 'e\u0301'.repeat(5000))).content).toBe('é'.repeat(5000));
      expect(await say(one, id, `x${'\ufe0f'.repeat(5000)}`)).toHaveWrongFields('content');
      for (const blank of ['', ' \n\t', '\u200b\u2060', '\u2800']) {
        expect(await say(one, id, blank)).toHaveWrongFields('content');
      }
      const send = (body: unknown) => one.client.post(`/chat/conversations/${id}/send_message`, body);
      for (const body of [{}, { content: null }, { content: 5 }, { attachment: 'x' }]) {
        expect(await send(body)).toHaveWrongFields('content');
      }
      expect(await send('{"content":"\\ud800"}')).toBeRefused(400, 'malformed');
      expect(await send('{"content":"a\\u0000"}')).toBeRefused(400, 'malformed');
    });

    it('is sent once with one key, and told apart from another', async () => {
      const [one, two, id] = await pair();
      const key = unique('key');
      const answers = await times(20, () => say(one, id, 'Once', key));
      expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
      expect(await messagesOf(two, id)).toHaveLength(1);
      expect((await conversationOf(two, id)).unread_count).toBe(1);
      expect(await say(one, id, 'Twice', key)).toBeRefused(422, 'idempotency_key_reused');
      // The answer is the message as it is now, and it is stored nowhere else.
      await edit(one, answers[0]!.body.id, 'Changed');
      expect((await say(one, id, 'Once', key)).body.content).toBe('Changed');
      const stored = await t.db.query(everyGym`SELECT answer FROM idempotency_keys WHERE key = ${key}`);
      expect(JSON.stringify(stored)).not.toContain('Once');
    });

    it('is changed and deleted by its sender alone', async () => {
      const [one, two, id] = await pair();
      const { id: messageId } = await said(one, id, 'See you at six?');
      const edited = await edit(one, messageId, 'At seven?');
      expect(edited.body).toMatchObject({ content: 'At seven?', edited_at: expect.any(String) });
      expect((await edit(one, messageId, 'At seven?')).body).toEqual(edited.body);
      expect(await edit(one, messageId, ' ')).toHaveWrongFields('content');
      expect(await edit(two, messageId, 'x')).toBeRefused(403, 'not_sender');
      expect(await remove(two, messageId)).toBeRefused(403, 'not_sender');
      expect(await remove(one, messageId)).toHaveStatus(204);
      expect(await remove(one, messageId)).toHaveStatus(204);
      expect(await edit(one, messageId, 'x')).toBeRefused(409, 'message_deleted');
      expect(await messagesOf(two, id)).toMatchObject([{ id: messageId, content: null, is_deleted: true }]);
      expect((await conversationOf(two, id)).last_message).toMatchObject({ id: messageId, content: null });
    });

    it('is read up to, and never backwards', async () => {
      const [one, two, id] = await pair();
      const sent: any[] = [];
      for (const text of ['a', 'b', 'c']) sent.push(await said(one, id, text));
      const mine = await said(two, id, 'mine');
      expect((await conversationOf(two, id)).unread_count).toBe(3);
      const first = await read(two, sent[1].id);
      const reader = expect.objectContaining({ id: two.id });
      const receipt = { conversation_id: id, message_id: sent[1].id, read_by: reader, read_at: expect.any(String) };
      const answer = { ...receipt, unread_count: 1 };
      expect(first.body).toEqual(answer);
      expect((await read(two, sent[0].id)).body).toEqual(first.body);
      expect((await read(two, sent[1].id)).body).toEqual(first.body);
      const seen = await messagesOf(one, id);
      expect(seen.map((m) => [m.is_read, m.read_at])).toEqual([
        ...[
          [true, first.body.read_at],
          [true, first.body.read_at],
        ],
        ...[
          [false, null],
          [false, null],
        ],
      ]);
      expect((await read(two, mine.id)).body).toMatchObject({ message_id: mine.id, unread_count: 0 });
      // What I read are the messages of the other.
      expect((await messagesOf(one, id)).map((m) => m.is_read)).toEqual([true, true, true, false]);
    });

    it('that is deleted before it was read is not waited for', async () => {
      const [one, two, id] = await pair();
      const [a, b] = [await said(one, id, 'a'), await said(one, id, 'b')];
      await read(two, a.id);
      await remove(one, a.id);
      expect((await conversationOf(two, id)).unread_count).toBe(1);
      await remove(one, b.id);
      await remove(one, b.id);
      expect((await conversationOf(two, id)).unread_count).toBe(0);
      expect((await read(two, b.id)).body.unread_count).toBe(0);
    });

    it('is paged both ways, a page after the other', async () => {
      const [one, two, id] = await pair();
      for (let index = 0; index < 7; index++) await said(index % 2 ? one : two, id, String(index));
      const path = `/chat/conversations/${id}/messages`;
      const contents = (rows: any[]) => rows.map(({ content }) => content).join('');
      expect(contents(await one.client.all(`${path}?limit=3`))).toBe('0123456');
      const { body: newest, headers } = await one.client.get(`${path}?before_id=2147483647&limit=3`);
      expect(contents(newest)).toBe('456');
      const link = /^<([^>]+)>; rel="next"$/.exec(headers.get('link')!)![1]!;
      expect(contents((await one.client.get(new URL(link, t.url).href)).body)).toBe('123');
      expect(contents((await one.client.get(`${path}?after_id=${newest[0].id}`)).body)).toBe('56');
      expect(await one.client.get(`${path}?after_id=1&before_id=5`)).toHaveWrongFields('before_id');
      for (const limit of ['0', '201', 'x']) expect(await one.client.get(`${path}?limit=${limit}`)).toHaveStatus(422);
      const last = await one.client.get(`${path}?limit=7`);
      expect([last.body.length, last.headers.get('link')]).toEqual([7, null]);
    });
  });

  describe('a million messages', () => {
    let [one, two]: SignedIn[] = [];
    let id: number;
    beforeAll(async () => {
      [one, two, id] = await pair();
      for (let first = 1; first <= 1_000_000; first += 100_000) {
        await t.db.change(everyGym`
          INSERT INTO messages (conversation_id, sender_id, content, timestamp)
          SELECT ${id}, CASE WHEN n % 2 = 0 THEN ${one.id}::int ELSE ${two.id}::int END, 'Message ' || n, now()
          FROM generate_series(${first}::int, ${first}::int + 99999) n`);
      }
      await t.db.change(everyGym`UPDATE participants SET unread_count = 500000 WHERE conversation_id = ${id}`);
      await t.db.change(everyGym`VACUUM ANALYZE messages`);
    });

    it('are found by the one index that has them in order, also where another conversation is small', async () => {
      const last = await t.db.query(everyGym`SELECT id FROM messages ORDER BY id DESC LIMIT 1`);
      const [middle, [, , small]] = [(last[0] as { id: number }).id - 500_000, await pair()];
      const client = await t.db.pool.connect();
      try {
        for (const mode of ['force_custom_plan', 'force_generic_plan']) {
          await client.query(`SET plan_cache_mode = ${mode}`);
          for (const [name, where] of Object.entries({
            onwards: between(raw('$1::int'), raw('$2::int'), raw('2147483647')),
            backwards: between(raw('$1::int'), raw('0'), raw('$2::int')),
          })) {
            const order = name === 'onwards' ? IN_ORDER : NEWEST_FIRST;
            await client.query(
              `PREPARE ${name} AS SELECT * FROM messages WHERE ${where.text} ORDER BY ${order.text} LIMIT 201`,
            );
            for (const conversation of [id, small]) {
              const plan = await client.query(
                `EXPLAIN (ANALYZE, BUFFERS) EXECUTE ${name} (${conversation}, ${middle})`,
              );
              const text = plan.rows.map((line) => line['QUERY PLAN']).join('\n');
              expect(text).toContain('Index Scan');
              expect(text).toContain('messages_conversation_id_id_idx');
              expect(text).not.toMatch(/Sort|Seq Scan|Filter/);
              expect(Number(/shared hit=(\d+)/.exec(text)![1])).toBeLessThan(50);
            }
            await client.query(`DEALLOCATE ${name}`);
          }
        }
      } finally {
        client.release(true);
      }
    });

    it('are not needed to list the conversations of a person who has thousands', async () => {
      const busy = await trainer();
      await t.db.change(everyGym`
        WITH u AS (INSERT INTO users (email, full_name, document_id, role, gym_id)
          SELECT 'busy' || n || '@example.com', 'Member ' || n, 'BUSY-' || n, 'user', ${gym.id}::int
          FROM generate_series(1, 3000) n RETURNING id),
        c AS (INSERT INTO conversations (user1_id, user2_id) SELECT ${busy.id}::int, id FROM u RETURNING *)
        INSERT INTO participants (conversation_id, user_id, other_id, last_active_at)
        SELECT id, user1_id, user2_id, now() - id * interval '1 minute' FROM c
        UNION ALL SELECT id, user2_id, user1_id, now() FROM c`);
      await t.db.change(everyGym`VACUUM ANALYZE participants`);
      const plan = await t.db.query<{ 'QUERY PLAN': string }>(everyGym`
        EXPLAIN SELECT p.* FROM participants p WHERE p.user_id = ${raw(String(busy.id))} AND p.left_at IS NULL
        ORDER BY p.last_active_at DESC, p.conversation_id DESC LIMIT 51`);
      const text = plan.map((line) => line['QUERY PLAN']).join('\n');
      expect(text).toContain('participants_list_idx');
      expect(text).not.toMatch(/Sort|Seq Scan|Filter/);
      const all = await busy.client.all('/chat/conversations?limit=200');
      expect(new Set(all.map((conversation) => conversation.id)).size).toBe(3000);
    });

    it('are not scanned for a page, nor for the list', async () => {
      await list(one!); // so that the session is known
      const plans = await plansOf(t, async () => {
        for (const query of ['before_id=2147483647', 'before_id=500000', 'after_id=500000', 'after_id=0']) {
          await one!.client.get(`/chat/conversations/${id}/messages?limit=50&${query}`);
        }
        await list(one!);
      });
      const ofMessages = plans.filter(({ plan }) => / on messages\b/.test(plan));
      expect(ofMessages).toHaveLength(5);
      for (const { plan } of ofMessages) expect(plan).not.toMatch(/(Seq|Bitmap Heap) Scan on messages|Aggregate/);
      const [{ unread_count, last_message }] = await list(one!);
      expect([unread_count, last_message.content]).toEqual([500_000, 'Message 1000000']);
    });
  });

  it('purges what was deleted a week ago, and nothing sooner', async () => {
    const [one, two, id] = await pair();
    const [old, fresh, kept] = [await said(one, id, 'old'), await said(one, id, 'fresh'), await said(one, id, 'kept')];
    await remove(one, old.id);
    await remove(one, fresh.id);
    await t.db.change(everyGym`
      UPDATE messages SET deleted_at = now() - interval '7 days 1 minute' WHERE id = ${old.id}`);
    await t.db.change(everyGym`
      UPDATE messages SET deleted_at = now() - interval '6 days 23 hours' WHERE id = ${fresh.id}`);
    await t.app.get(MessagesService).purge();
    expect((await messagesOf(two, id)).map((m) => m.id)).toEqual([fresh.id, kept.id]);
    expect((await conversationOf(two, id)).unread_count).toBe(1);
    expect((await read(two, kept.id)).body.unread_count).toBe(0);
  });
});
