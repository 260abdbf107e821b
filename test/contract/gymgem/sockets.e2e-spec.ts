import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../../support/app.js';
import { PNG, said, start, upload } from '../../support/chat.js';
import { ownDatabase } from '../../support/database.js';
import { type SignedIn, unique } from '../../support/factory.js';
import { PlainClient } from '../../support/plain-client.js';
import { SocketClient } from '../../support/socket-client.js';
import { asking, type Base, BASES } from './gymgem.js';

const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
const CLOSE = { token: 4001, not_participant: 4003, nothing: 4004 };

let t: TestApp;
let second: TestApp;
let gym: { id: number };
beforeAll(async () => {
  const DATABASE_URL = await ownDatabase('gymgem_sockets');
  [t, second] = [await startApp({ DATABASE_URL }), await startApp({ DATABASE_URL })];
  gym = await t.make.gym();
});
afterEach(() => {
  PlainClient.closeAll();
  SocketClient.closeAll();
});
afterAll(() => Promise.all([t.close(), second.close()]));

type Member = SignedIn & { username: string };
async function newMember(): Promise<Member> {
  const username = unique('tiago');
  return { ...(await t.make.signedIn('user', gym.id, { username, full_name: `Full ${username}` })), username };
}

describe.each([...BASES])('the chat socket of gymgem at "%s"', (base: Base) => {
  let one: Member;
  let two: Member;
  let id: number;
  beforeEach(async () => {
    [one, two] = [await newMember(), await newMember()];
    id = await start(one, two);
  });

  const url = (conversation: number | string, token?: string, app = t) =>
    `${app.url}${base}/ws/chat/${conversation}/${token === undefined ? '' : `?token=${token}`}`;
  /** One who is in the conversation: the answer to nonsense says that they are. */
  async function joined({ access_token }: SignedIn, app = t, conversation = id): Promise<PlainClient> {
    const client = await PlainClient.open(url(conversation, access_token, app));
    await client.ask('{', 'error');
    client.frames.length = 0;
    return client;
  }
  /** A frame as it is at this base. */
  const frames = {
    message: (sender: Member, content: string, attachment: unknown = null) => ({
      ...{ type: 'chat_message', message_id: expect.any(Number), sender: sender.username, content, timestamp: moment },
      ...(base && { sender_id: -sender.id, sender_name: sender.username, attachment }),
    }),
    read: (messageId: number, { username }: Member) => ({
      ...{ type: 'read_receipt', message_id: messageId, read_by: username, read_at: moment, reader: username },
    }),
    typing: ({ username: user }: Member, isTyping: boolean) => ({
      ...{ type: base ? 'typing' : 'typing_indicator', user, is_typing: isTyping },
    }),
    edited: (messageId: number, text: string, { username: editor }: Member) =>
      base
        ? { type: 'edit', message_id: messageId, content: text, edited_at: moment, editor }
        : {
            type: 'message_edited',
            message_id: messageId,
            new_content: text,
            edited_by: editor,
            edited_at: moment,
            editor,
          },
    deleted: (messageId: number, { username: deleter }: Member) =>
      base
        ? { type: 'delete', message_id: messageId, deleter }
        : { type: 'message_deleted', message_id: messageId, deleted_by: deleter, deleted_at: moment, deleter },
  };
  const typeOf = (frame: { type: string }) => frame.type;

  it('closes with the code for what is wrong', async () => {
    const outsider = await newMember();
    const codes = [
      [url(id), CLOSE.token],
      [url(id, 'rubbish'), CLOSE.token],
      [url('x', 'rubbish'), CLOSE.token],
      [url(id, outsider.access_token), CLOSE.not_participant],
      [url(2_147_483_647, one.access_token), CLOSE.nothing],
      [url('x', one.access_token), CLOSE.nothing],
      [url('0', one.access_token), CLOSE.nothing],
      [url('99999999999', one.access_token), CLOSE.nothing],
    ] as const;
    for (const [address, code] of codes) expect(await (await PlainClient.open(address)).closed).toBe(code);
    expect(await PlainClient.status(`${t.url}${base}/ws/chat/`)).toBe(404);
    expect(await PlainClient.status(`${t.url}${base}/api/ws/chat/${id}/`)).toBe(404);
  });

  it('ends with the session', async () => {
    const client = await joined(one);
    await one.client.post('/auth/logout', {});
    expect(await client.closed).toBe(CLOSE.token);
  });

  it('tells both what is said, read, changed and deleted', async () => {
    const [mine, theirs] = [await joined(one), await joined(two, second)];
    const both = async (expected: { type: string }) => {
      for (const client of [mine, theirs]) expect(await client.next(typeOf(expected))).toEqual(expected);
    };
    mine.send({ content: ' Hello ' });
    const { message_id } = await theirs.next('chat_message');
    expect(theirs.frames).toEqual([{ ...frames.message(one, 'Hello'), message_id }]);
    expect(await mine.next('chat_message')).toEqual(theirs.frames[0]);
    theirs.send({ type: 'message', content: 'Hi' });
    await both(frames.message(two, 'Hi'));

    theirs.send({ type: 'read', message_id });
    await both(frames.read(message_id, two));
    mine.send({ type: 'edit', message_id: String(message_id), [base ? 'content' : 'new_content']: 'Hello!' });
    await both(frames.edited(message_id, 'Hello!', one));
    mine.send({ type: 'delete', message_id });
    await both(frames.deleted(message_id, one));
  });

  it('tells only the other who is typing, and nothing more', async () => {
    const [mine, theirs] = [await joined(one), await joined(two)];
    for (const isTyping of [true, false]) {
      mine.send({ type: 'typing', is_typing: isTyping });
      const expected = frames.typing(one, isTyping);
      expect(await theirs.next(typeOf(expected))).toEqual(expected);
    }
    await mine.ask('{', 'error');
    expect(mine.types).toEqual(['error']);
  });

  it('refuses with one text twice, and lives', async () => {
    const [mine, theirs] = [await joined(one), await joined(two)];
    const { id: theirMessage } = await said(two, id, 'Mine');
    const third = await newMember();
    const elsewhere = await said(one, await start(one, third), 'Elsewhere');
    await mine.next('chat_message');
    for (const frame of [
      ...['{', '[]', '"text"', '7', 'null'],
      ...[{}, { content: 7 }, { content: '   ' }, { content: 'x'.repeat(5_001) }, { type: 'nothing' }],
      ...[{ type: 'read' }, { type: 'edit', content: 'No id' }, { type: 'delete', message_id: 'x' }],
      ...[
        { type: 'read', message_id: 2_147_483_647 },
        { type: 'typing', is_typing: 'yes' },
      ],
      { type: 'edit', message_id: theirMessage, content: 'Yours', new_content: 'Yours' },
      { type: 'delete', message_id: theirMessage },
      { type: 'edit', message_id: theirMessage },
      { type: 'delete', message_id: elsewhere.id },
      { type: 'read', message_id: elsewhere.id },
    ]) {
      mine.send(frame);
      const { type, error, message, ...more } = await mine.next('error');
      expect([type, more, error.length > 5]).toEqual(['error', {}, true]);
      expect(message).toBe(error);
    }
    expect(mine.frames.find(({ error }) => error)).toMatchObject({ error: 'Invalid JSON format' });
    mine.send({ content: 'Still here' });
    expect(await theirs.next(({ content }) => content === 'Still here')).toEqual(frames.message(one, 'Still here'));
    expect(theirs.types).toEqual(['chat_message', 'chat_message']);
  });

  it('keeps to its conversation, in its order', async () => {
    const third = await newMember();
    const other = await start(one, third);
    const [mine, theirs] = [await joined(one), await joined(third, t, other)];
    for (let n = 0; n < 20; n++) {
      mine.send({ content: `message ${n}` });
      theirs.send({ content: `other ${n}` });
    }
    await mine.next(({ content }) => content === 'message 19');
    await theirs.next(({ content }) => content === 'other 19');
    const inOrder = (name: string) => Array.from({ length: 20 }, (_, n) => `${name} ${n}`);
    expect(mine.frames.map(({ content }) => content)).toEqual(inOrder('message'));
    expect(theirs.frames.map(({ content }) => content)).toEqual(inOrder('other'));
  });

  it('sees what comes over Socket.IO and REST, and is seen there', async () => {
    const client = await joined(one);
    const socket = await SocketClient.connect(second.url, '/chat', { token: two.access_token });
    client.send({ content: 'From the old socket' });
    const news = await socket.next('chat_message');
    expect(news).toMatchObject({ conversation_id: id, content: 'From the old socket', sender: { id: one.id } });
    await client.next('chat_message');

    const answer = await socket.ask('message', { conversation_id: id, content: 'From Socket.IO' });
    expect(await client.next('chat_message')).toEqual({
      ...{ ...frames.message(two, 'From Socket.IO'), message_id: answer.id },
    });
    const rest = await said(two, id, 'From REST');
    expect((await client.next('chat_message')).message_id).toBe(rest.id);
    const old = await asking(t, base, two.access_token).post(`chat/conversations/${id}/send_message/`, {
      content: 'From the old REST',
    });
    expect(await client.next('chat_message')).toMatchObject({ message_id: old.body.id, content: 'From the old REST' });
    client.send({ type: 'read', message_id: rest.id });
    expect(await socket.next('read_receipt')).toMatchObject({ message_id: rest.id, read_by: { id: one.id } });
    await two.client.patch(`/chat/messages/${rest.id}`, { content: 'Changed' });
    const edited = frames.edited(rest.id, 'Changed', two);
    expect(await client.next(typeOf(edited))).toEqual(edited);
    await two.client.delete(`/chat/messages/${rest.id}`);
    const deleted = frames.deleted(rest.id, two);
    expect(await client.next(typeOf(deleted))).toEqual(deleted);
    socket.send('typing', { conversation_id: id, is_typing: true });
    const typing = frames.typing(two, true);
    expect(await client.next(typeOf(typing))).toEqual(typing);
  });

  it('tells later versions where the file of a message is', async () => {
    const client = await joined(one);
    const file = { bytes: PNG, name: 'knee.png' };
    await upload(two, id, file);
    const frame = await client.next('chat_message');
    expect(frame).toEqual(frames.message(two, '', expect.stringMatching(/^\/api\//)));
    if (base) expect((await fetch(t.url + base + frame.attachment)).status).toBe(200);
    await upload(two, id, file, { content: 'My knee' });
    expect(await client.next('chat_message')).toEqual(frames.message(two, 'My knee', expect.any(String)));
  });

  it('calls one who has no username by the email', async () => {
    const mail = await t.make.signedIn('user', gym.id);
    const talk = await start(one, mail);
    const client = await joined(one, t, talk);
    await said(mail, talk, 'Hello');
    expect(await client.next('chat_message')).toEqual({
      ...frames.message({ ...mail, username: mail.email }, 'Hello'),
    });
    await mail.client.post(`/chat/messages/${(await said(one, talk, 'Hi')).id}/read`);
    expect(await client.next('read_receipt')).toMatchObject({ read_by: mail.email, reader: mail.email });
  });
});

it('later versions know people by the profile that was chosen last', async () => {
  const one = await newMember();
  const trainer = await t.make.signedIn('trainer', gym.id, { full_name: 'Tiago Moreira', username: unique('coach') });
  const id = await start(one, trainer);
  const client = await PlainClient.open(`${t.url}/gymgem-web/ws/chat/${id}/?token=${one.access_token}`);
  await client.ask('{', 'error');
  for (const type of ['trainer', 'store', 'trainer']) {
    const { body } = await trainer.client.post(`/accounts/${trainer.id}/profiles`, { profile_type: type });
    await said(trainer, id, type);
    expect(await client.next('chat_message')).toMatchObject({ sender_id: body.id, sender_name: 'Tiago Moreira' });
  }
});
