import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { everyGym } from '../../src/database/sql.js';
import { times, tally } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import { conversationOf, messagesOf, said, say, start } from '../support/chat.js';
import { ownDatabase } from '../support/database.js';
import type { SignedIn } from '../support/factory.js';

describe('a conversation in which all happens at once', () => {
  let t: TestApp;
  let gym: { id: number };
  beforeAll(async () => {
    t = await startApp({ DATABASE_URL: await ownDatabase('chat_races') });
    gym = await t.make.gym();
  });
  afterAll(() => t.close());

  async function pair(): Promise<[SignedIn, SignedIn, number]> {
    const [one, two] = [await t.make.signedIn('user', gym.id), await t.make.signedIn('trainer', gym.id)];
    return [one, two, await start(one, two)];
  }

  /** Counters that are not the number of messages that one has not read. */
  const wrongCounters = () =>
    t.db.query(everyGym`
      SELECT p.conversation_id, p.user_id, p.unread_count, truth.count FROM participants p
      CROSS JOIN LATERAL (
        SELECT count(*) FROM messages m
        WHERE m.conversation_id = p.conversation_id AND m.sender_id = p.other_id AND m.deleted_at IS NULL
          AND m.id > greatest(p.last_read_id, p.cleared_up_to_id)) truth
      WHERE truth.count <> p.unread_count`);

  it('takes 60 messages, each once, and counts them', async () => {
    const [one, two, id] = await pair();
    const answers = await times(60, (index) => say(index % 2 ? one : two, id, `Message ${index}`));
    expect(tally(answers)).toEqual({ 201: 60 });
    const stored = await messagesOf(one, id);
    expect(stored.map((m) => m.content).toSorted()).toEqual(
      Array.from({ length: 60 }, (_, index) => `Message ${index}`).toSorted(),
    );
    const ids = stored.map((m) => m.id);
    expect(ids).toEqual(ids.toSorted((a: number, b: number) => a - b));
    const moments = stored.map((m) => m.timestamp);
    expect(moments).toEqual(moments.toSorted());
    for (const person of [one, two]) expect((await conversationOf(person, id)).unread_count).toBe(30);
    expect(await wrongCounters()).toEqual([]);
  });

  it('shows a reader who goes on by after_id each message, though many commit at once', async () => {
    const [one, two, id] = await pair();
    let isOver = false;
    const followed: number[] = [];
    const follow = async () => {
      for (let isLast = false; !isLast;) {
        isLast = isOver;
        const { body } = await two.client.get(
          `/chat/conversations/${id}/messages?limit=200&after_id=${followed.at(-1) ?? 0}`,
        );
        followed.push(...body.map((m: any) => m.id));
      }
    };
    // Messages of others take ids of the same sequence in between.
    const [other, , otherId] = await pair();
    const following = follow();
    const answers = await times(60, (index) =>
      index % 3 === 0 ? say(other, otherId, 'x') : say(index % 3 === 1 ? one : two, id, 'x'),
    );
    isOver = true;
    await following;
    expect(tally(answers)).toEqual({ 201: 60 });
    expect(followed).toEqual((await messagesOf(one, id)).map((m) => m.id));
    expect(followed).toHaveLength(40);
  });

  it('counts right, while messages come, are deleted and read, and the two leave and come back', async () => {
    const [one, two, id] = await pair();
    const answers = await times(90, async (index) => {
      const [me, you] = index % 2 ? [one, two] : [two, one];
      switch (index % 6) {
        case 0:
        case 1: {
          const sent = await say(me, id, `Message ${index}`);
          if (sent.status !== 201 || index % 12 > 5) return sent;
          return me.client.delete(`/chat/messages/${sent.body.id}`);
        }
        case 2:
        case 3: {
          const { body } = await me.client.get(`/chat/conversations/${id}/messages?before_id=2147483647&limit=5`);
          return body[2] ? me.client.post(`/chat/messages/${body[2].id}/read`) : say(me, id, 'x');
        }
        case 4:
          return index % 5 === 0 ? me.client.delete(`/chat/conversations/${id}`) : say(me, id, 'y');
        default:
          return me.client.post('/chat/conversations/start', { user2: you.id });
      }
    });
    for (const answer of answers) expect([200, 201, 204, 404]).toContain(answer.status);
    expect(await wrongCounters()).toEqual([]);
  });

  it('never reads backwards, though many say how far they are', async () => {
    const [one, two, id] = await pair();
    const sent: number[] = [];
    for (let index = 0; index < 20; index++) sent.push((await said(one, id, String(index))).id);
    const marks = await times(60, async (index) => {
      if (index % 3 === 0) return say(one, id, 'more');
      return two.client.post(`/chat/messages/${sent[(index * 7) % 20]}/read`);
    });
    expect(marks.every(({ status }) => status < 300)).toBe(true);
    const farthest = Math.max(...[...Array(60).keys()].filter((i) => i % 3 > 0).map((i) => sent[(i * 7) % 20]!));
    const [part] = await t.db.query<{ last_read_id: number }>(everyGym`
      SELECT last_read_id FROM participants WHERE conversation_id = ${id} AND user_id = ${two.id}`);
    expect(part!.last_read_id).toBe(farthest);
    expect(await wrongCounters()).toEqual([]);
    const seen = await messagesOf(one, id);
    expect(seen.filter((m) => m.is_read).map((m) => m.id)).toEqual(sent.filter((messageId) => messageId <= farthest));
  });

  it('keeps no word of a person who is deleted while they write', async () => {
    const admin = await t.make.signedIn('admin', null);
    for (let round = 0; round < 5; round++) {
      const [one, two, id] = await pair();
      const writing = times(30, (index) => say(index % 3 ? one : two, id, index % 3 ? 'secret' : 'kept'));
      expect(await admin.client.delete(`/users/${one.id}`)).toHaveStatus(204);
      for (const { status } of await writing) expect([201, 401, 404, 409]).toContain(status);
      const left = await messagesOf(two, id);
      expect(JSON.stringify(left)).not.toContain('secret');
      expect(
        await t.db.query(everyGym`SELECT FROM messages WHERE conversation_id = ${id} AND content = 'secret'`),
      ).toEqual([]);
    }
    expect(await wrongCounters()).toEqual([]);
  });
});
