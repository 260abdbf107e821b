import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { everyGym } from '../../src/database/sql.js';
import { times } from '../support/answers.js';
import { startApp, type TestApp } from '../support/app.js';
import { conversationOf, messagesOf, PNG, said, start, upload } from '../support/chat.js';
import { ownDatabase } from '../support/database.js';
import { type SignedIn, unique } from '../support/factory.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

const TOLD = new Set(['chat_message', 'read_receipt', 'typing_indicator', 'message_edited', 'message_deleted']);

describe('/chat', () => {
  let t: TestApp;
  let one: SignedIn;
  let two: SignedIn;
  let stranger: SignedIn;
  let id: number;
  beforeAll(async () => {
    t = await startApp({ DATABASE_URL: await ownDatabase('chat_sockets') });
    const gym = await t.make.gym();
    one = await t.make.signedIn('user', gym.id, { username: 'one' });
    two = await t.make.signedIn('trainer', gym.id, { username: 'two' });
    stranger = await t.make.signedIn('admin', gym.id);
    id = await start(one, two);
  });
  afterEach(() => SocketClient.closeAll());
  afterAll(() => t.close());

  const connect = ({ access_token: token }: SignedIn) => SocketClient.connect(t.url, '/chat', { token });
  /** One of each device: two of the first, one of the second, and one who must hear nothing. */
  async function all() {
    const [mine, tablet, theirs, none] = await Promise.all([one, one, two, stranger].map(connect));
    return { mine: mine!, tablet: tablet!, theirs: theirs!, none: none! };
  }
  const heard = (socket: SocketClient) => socket.received.filter(({ event }) => TOLD.has(event));

  it('is for who has signed in', async () => {
    expect(await SocketClient.refused(t.url, '/chat')).toBeRefused(4001);
    expect(await SocketClient.refused(t.url, '/chat', { token: 'x' })).toBeRefused(4001);
  });

  it('opens a conversation, and marks nothing', async () => {
    await said(one, id, 'Unread');
    const before = await conversationOf(two, id);
    const { theirs, none } = await all();
    expect(await theirs.ask('join', { conversation_id: id })).toEqual(before);
    expect(await theirs.next('joined')).toEqual(before);
    expect(await conversationOf(two, id)).toEqual(before);
    expect(await none.ask('join', { conversation_id: id })).toBeRefused('conversation_not_found');
    expect(await none.ask('join', { conversation_id: 2_000_000_000 })).toBeRefused('conversation_not_found');
    expect(await theirs.ask('join', {})).toBeRefused('fields_invalid');
  });

  it('tells a message to all devices of both, no matter where it was sent', async () => {
    const { mine, tablet, theirs, none } = await all();
    const answer = await mine.ask('message', { conversation_id: id, content: ' Hello ' });
    const told = {
      ...{
        message_id: answer.id,
        conversation_id: id,
        content: 'Hello',
        attachment: null,
        timestamp: answer.timestamp,
      },
      sender: { id: one.id, username: 'one', full_name: expect.any(String) },
    };
    for (const socket of [mine, tablet, theirs]) expect(await socket.next('chat_message')).toEqual(told);
    expect(answer).toEqual({ message_id: answer.id, ...(await messagesOf(two, id)).at(-1) });

    const rest = await said(two, id, 'By REST');
    for (const socket of [mine, tablet, theirs]) {
      expect(await socket.next('chat_message')).toMatchObject({ message_id: rest.id, content: 'By REST' });
    }
    const { body } = await upload(one, id, { bytes: PNG, name: 'a.png' });
    const { attachment } = await theirs.next('chat_message');
    expect(attachment).toMatchObject({ id: body.attachment.id, content_type: 'image/png' });
    expect((await fetch(t.url + attachment.url)).status).toBe(200);
    expect(heard(none)).toEqual([]);
  });

  it('refuses what REST refuses, with its words', async () => {
    const { mine, theirs, none } = await all();
    const { id: messageId } = await said(one, id, 'Mine');
    const text = { content: 'x', new_content: 'x', is_typing: true };
    for (const event of ['message', 'typing']) {
      expect(await none.ask(event, { conversation_id: id, ...text })).toBeRefused('conversation_not_found');
    }
    for (const event of ['read', 'edit', 'delete']) {
      expect(await none.ask(event, { message_id: messageId, ...text })).toBeRefused('message_not_found');
    }
    for (const event of ['edit', 'delete']) {
      expect(await theirs.ask(event, { message_id: messageId, ...text })).toBeRefused('not_sender');
    }
    expect(await mine.ask('message', { conversation_id: id, content: ' ' })).toBeRefused('fields_invalid');
    expect(await mine.ask('message', { conversation_id: id, content: '💪'.repeat(5001) })).toBeRefused(
      'fields_invalid',
    );
    expect(await mine.ask('message', { conversation_id: id, content: '\ud800' })).toBeRefused('malformed');
    expect(await mine.ask('typing', { conversation_id: id, is_typing: 'yes' })).toBeRefused('fields_invalid');
    expect(await mine.next('error')).toMatchObject({ code: 'fields_invalid', event: 'message' });
    expect(heard(none)).toEqual([]);
  });

  it('takes a message once with one key', async () => {
    const { mine, theirs } = await all();
    const message = { conversation_id: id, content: 'Once', idempotency_key: unique('key') };
    const [first, second] = [await mine.ask('message', message), await mine.ask('message', message)];
    expect(second).toEqual(first);
    await said(one, id, 'Last');
    await theirs.next('chat_message', ({ content }) => content === 'Last');
    expect(theirs.all('chat_message').map(({ content }) => content)).toEqual(['Once', 'Last']);
  });

  it('tells who has left, and is back, nothing of what was cleared for them', async () => {
    const gym = await t.make.gym();
    const [left, stays] = [await t.make.signedIn('trainer', gym.id), await t.make.signedIn('user', gym.id)];
    const conversation = await start(stays, left);
    const old = await said(stays, conversation, 'Old');
    const socket = await connect(left);
    expect(await left.client.delete(`/chat/conversations/${conversation}`)).toHaveStatus(204);
    const fresh = await said(stays, conversation, 'New');
    for (const { id: messageId } of [old, fresh]) {
      await stays.client.send('PATCH', `/chat/messages/${messageId}`, { content: 'Edited' });
      await stays.client.delete(`/chat/messages/${messageId}`);
    }
    await socket.next('message_deleted');
    for (const event of ['message_edited', 'message_deleted']) {
      expect(socket.all(event).map(({ message_id }) => message_id)).toEqual([fresh.id]);
    }
  });

  it('tells what is read, once, and what is edited and deleted', async () => {
    const { mine, tablet, theirs, none } = await all();
    const { id: messageId } = await mine.ask('message', { conversation_id: id, content: 'First' });
    const ref = { message_id: messageId };
    const answer = await theirs.ask('read', ref);
    const reader = { id: two.id, username: 'two', full_name: expect.any(String) };
    const about = { ...ref, conversation_id: id };
    const receipt = { ...about, read_by: reader, read_at: expect.any(String) };
    expect(answer).toEqual({ ...receipt, unread_count: 0 });
    for (const socket of [mine, tablet, theirs]) {
      expect(await socket.next('read_receipt')).toEqual({ ...receipt, read_at: answer.read_at });
    }
    expect(await theirs.ask('read', ref)).toEqual(answer);

    const edited = await mine.ask('edit', { ...ref, new_content: 'Second' });
    expect(edited).toMatchObject({ ...ref, id: messageId, content: 'Second' });
    const writer = { id: one.id, username: 'one', full_name: expect.any(String) };
    for (const socket of [mine, tablet, theirs]) {
      const change = { new_content: 'Second', edited_by: writer, edited_at: edited.edited_at };
      expect(await socket.next('message_edited')).toEqual({ ...about, ...change });
    }
    await mine.ask('edit', { ...ref, new_content: 'Second' });
    expect(await mine.ask('delete', ref)).toEqual({ message_id: messageId, conversation_id: id });
    for (const socket of [mine, tablet, theirs]) {
      expect(await socket.next('message_deleted')).toEqual({
        ...about,
        deleted_by: writer,
        deleted_at: expect.any(String),
      });
    }
    await mine.ask('delete', ref);
    // What is done again is not told again: this comes after it.
    await said(one, id, 'Third');
    await theirs.next('chat_message', ({ content }) => content === 'Third');
    expect(heard(theirs).map(({ event }) => event)).toEqual([
      ...['chat_message', 'read_receipt', 'message_edited', 'message_deleted', 'chat_message'],
    ]);
    expect(heard(none)).toEqual([]);
  });

  it('tells no one that people have read what they wrote themselves', async () => {
    const gym = await t.make.gym();
    const [writer, reader] = [await t.make.signedIn('user', gym.id), await t.make.signedIn('trainer', gym.id)];
    const conversation = await start(writer, reader);
    const [writing, reading] = [await connect(writer), await connect(reader)];
    const { id: messageId } = await writing.ask('message', { conversation_id: conversation, content: 'Mine' });
    const own = await writing.ask('read', { message_id: messageId });
    expect(own).toEqual({
      conversation_id: conversation,
      message_id: messageId,
      read_by: expect.objectContaining({ id: writer.id }),
      read_at: expect.any(String),
      unread_count: 0,
    });
    await reading.ask('read', { message_id: messageId });
    const receipt = await reading.next('read_receipt');
    expect(receipt.read_by.id).toBe(reader.id);
    expect(reading.all('read_receipt')).toEqual([receipt]);
  });

  it('tells the other who is typing, echoes nothing, and stores nothing', async () => {
    const { mine, tablet, theirs, none } = await all();
    const mark = async () =>
      (await t.db.query<{ count: number }>(everyGym`SELECT count(*) FROM socket_messages`))[0]!.count;
    const before = await mark();
    for (const isTyping of [true, false]) {
      expect(await mine.ask('typing', { conversation_id: id, is_typing: isTyping })).toEqual({});
      expect(await theirs.next('typing_indicator')).toEqual({
        conversation_id: id,
        user: { id: one.id, username: 'one', full_name: expect.any(String) },
        is_typing: isTyping,
      });
    }
    expect(await mark()).toBe(before);
    await said(two, id, 'After that');
    await Promise.all([mine, tablet].map((socket) => socket.next('chat_message')));
    for (const socket of [mine, tablet, none]) expect(socket.all('typing_indicator')).toEqual([]);
  });

  it('tells each change of who is typing, also while it is writing something else', async () => {
    const { mine, theirs } = await all();
    const changes = Array.from({ length: 50 }, (_, index) => index % 2 === 0);
    for (const isTyping of changes) mine.send('typing', { conversation_id: id, is_typing: isTyping });
    await until(() => theirs.all('typing_indicator').length === changes.length);
    expect(theirs.all('typing_indicator').map(({ is_typing }) => is_typing)).toEqual(changes);
  });

  it('is told to who has left only when there is a message again', async () => {
    const [three, four] = [await t.make.signedIn('user', one.gym_id), await t.make.signedIn('trainer', one.gym_id)];
    const talk = await start(three, four);
    const [left, stays] = await Promise.all([three, four].map(connect));
    const { id: old } = await stays!.ask('message', { conversation_id: talk, content: 'Old' });
    await left!.next('chat_message');
    await three.client.delete(`/chat/conversations/${talk}`);
    await stays!.ask('typing', { conversation_id: talk, is_typing: true });
    await stays!.ask('edit', { message_id: old, new_content: 'Older' });
    await stays!.ask('delete', { message_id: old });
    await stays!.ask('message', { conversation_id: talk, content: 'New' });
    expect(await left!.next('chat_message')).toMatchObject({ content: 'New' });
    expect(heard(left!)).toHaveLength(2);
  });

  it('gets what it missed while it was away for a moment', async () => {
    const { mine } = await all();
    const lost = await connect(two);
    await mine.ask('message', { conversation_id: id, content: 'Seen' });
    await lost.next('chat_message');
    const { session } = lost;
    lost.cut();
    await until(async () => (await t.db.query(everyGym`SELECT FROM socket_sessions`)).length > 0);
    await mine.ask('typing', { conversation_id: id, is_typing: true });
    await said(one, id, 'Missed');
    const back = await SocketClient.connect(t.url, '/chat', { token: two.access_token, ...session });
    expect(back.socket.recovered).toBe(true);
    expect(await back.next('chat_message')).toMatchObject({ content: 'Missed' });
    expect(back.all('typing_indicator')).toEqual([]);
  });

  it('takes 30 messages a second from both, and tells each once, in order', async () => {
    const { mine, theirs } = await all();
    const answers = await times(180, async (index) => {
      await new Promise((resolve) => setTimeout(resolve, Math.floor(index / 2) * 33));
      return (index % 2 ? mine : theirs).ask('message', { conversation_id: id, content: `${index}` });
    });
    const ids = answers.map((answer) => answer.id as number);
    expect(ids.every(Number.isInteger)).toBe(true);
    const sorted = ids.toSorted((a, b) => a - b);
    for (const socket of [mine, theirs]) {
      await until(() => socket.all('chat_message').length >= ids.length);
      expect(socket.all('chat_message').map(({ message_id }) => message_id)).toEqual(sorted);
      expect(socket.all('error')).toEqual([]);
    }
  });

  it('tells what happened to a message after the message', async () => {
    const { mine, theirs } = await all();
    for (let round = 0; round < 30; round++) {
      const { id: messageId } = await mine.ask('message', { conversation_id: id, content: `Round ${round}` });
      await Promise.all([
        mine.ask('edit', { message_id: messageId, new_content: 'Edited' }),
        theirs.ask('read', { message_id: messageId }),
      ]);
    }
    await until(() => theirs.all('message_edited').length === 30 && theirs.all('read_receipt').length === 30);
    const seen = new Set<number>();
    for (const { event, payload } of heard(theirs)) {
      if (event === 'chat_message') seen.add(payload.message_id);
      expect(seen.has(payload.message_id)).toEqualFor([event, payload], true);
    }
  });

  it('tells a message that its server could not tell with the next one', async () => {
    const { theirs } = await all();
    // As a server leaves it that was killed between storing and telling.
    const [lost] = await t.db.change<{ id: number }>(everyGym`
      INSERT INTO messages (conversation_id, sender_id, content, timestamp)
      VALUES (${id}, ${one.id}, 'Stored only', now()) RETURNING id`);
    const next = await said(one, id, 'Next');
    expect(await theirs.next('chat_message')).toMatchObject({ message_id: lost!.id, content: 'Stored only' });
    expect(await theirs.next('chat_message')).toMatchObject({ message_id: next.id });
  });
});
