import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DEVICE_KINDS, type DeviceKind } from '../../src/common/actor/actor.js';
import { ROLES, type Role } from '../../src/common/actor/roles.js';
import { SERVER_EVENTS } from '../../src/realtime/event-map.js';
import { type MessageKind, MessageTable } from '../../src/realtime/message-table.js';
import { NAMESPACES } from '../../src/realtime/namespaces.js';
import { startApp, type TestApp } from '../support/app.js';
import { makeDevice, newTemplate } from '../support/device.js';
import { type MessageCase, messageCases } from '../support/message-cases.js';
import { inDays } from '../support/slots.js';
import { SocketClient } from '../support/socket-client.js';
import { type GymWorld, makeWorld, type World } from '../support/world.js';

type Sender = Role | DeviceKind;

interface Message extends MessageKind {
  namespace: string;
  name: string;
}

/** Who may send what, and what others hear of it, tried for every message of the server. */
describe('every message', () => {
  let t: TestApp;
  let world: World;
  let messages: Message[];
  const open: SocketClient[] = [];

  beforeAll(async () => {
    t = await startApp({ SIGN_IN_FAILURES_PER_ACCOUNT: '1000' });
    world = await makeWorld(t);
    messages = [...t.app.get(MessageTable).namespaces].flatMap(([namespace, { messages: kinds }]) =>
      [...kinds.values()]
        .filter(({ access }) => access.roles !== null)
        .map((kind) => ({ ...kind, namespace, name: `${namespace} ${kind.event}` })),
    );
  });
  afterEach(() => open.splice(0).forEach((socket) => socket.close()));
  afterAll(async () => {
    SocketClient.closeAll();
    await t.close();
  });

  const isDevice = (sender: Sender): sender is DeviceKind => DEVICE_KINDS.some((kind) => kind === sender);

  async function connect(namespace: string, { people, mark }: GymWorld, sender: Sender): Promise<SocketClient> {
    const auth = isDevice(sender)
      ? { device_key: (await makeDevice(people.manager.client, sender, mark)).device_key }
      : { token: people[sender].access_token };
    const socket = await SocketClient.connect(t.url, namespace, auth);
    open.push(socket);
    return socket;
  }

  const caseOf = ({ name }: Message): MessageCase => messageCases[name]!;

  async function attempt(message: Message, socket: SocketClient, sender: Sender): Promise<any> {
    await caseOf(message).before?.(socket, world);
    return socket.ask(message.event, await caseOf(message).payload?.(world, sender));
  }

  const senders = (namespace: string) => NAMESPACES[namespace]!.roles as readonly Sender[];

  it('has a case here, and no case is left over', () => {
    expect(messages.map(({ name }) => name).toSorted()).toEqual(Object.keys(messageCases).toSorted());
  });

  it('is closed to a caller who has not signed in', async () => {
    for (const message of messages) {
      if (!NAMESPACES[message.namespace]!.canSignInLater) {
        expect(await SocketClient.refused(t.url, message.namespace)).toBeRefused(4001);
        continue;
      }
      const socket = await SocketClient.connect(t.url, message.namespace);
      open.push(socket);
      const answer = await socket.ask(message.event, await caseOf(message).payload?.(world, 'trainer'));
      expect(answer).toBeRefused('not_signed_in');
    }
  });

  it.each([...ROLES, ...DEVICE_KINDS])('lets %s do what it may, and nothing else', async (sender) => {
    for (const message of messages.filter(({ namespace }) => senders(namespace).includes(sender))) {
      const socket = await connect(message.namespace, world.own, sender);
      const answer = await attempt(message, socket, sender);
      const isAllowed = message.access.roles!.includes(sender);
      const refusal = isAllowed ? caseOf(message).answers?.[sender] : 'role_not_allowed';
      if (refusal) expect(answer).toBeRefused(refusal);
      else expect(answer).toSucceed();
      socket.close();
    }
    for (const [namespace, { roles }] of Object.entries(NAMESPACES)) {
      const isServed = t.app.get(MessageTable).namespaces.has(namespace);
      if (!isServed || isDevice(sender) || roles.includes(sender)) continue;
      const { access_token: token } = world.own.people[sender];
      expect(await SocketClient.refused(t.url, namespace, { token })).toBeRefused(4003);
    }
  });

  it('gives nothing to another gym, whose sockets hear nothing of this one', async () => {
    const namespaces = [...t.app.get(MessageTable).namespaces.keys()];
    const watch = async (gym: GymWorld, roles: (namespace: string) => Sender[]) =>
      Promise.all(namespaces.flatMap((name) => roles(name).map((sender) => connect(name, gym, sender))));
    const own = await watch(world.own, (namespace) => [...senders(namespace)]);
    const strangers = await watch(world.other, (namespace) => senders(namespace).filter((role) => role !== 'admin'));
    expect(strangers.length).toBeGreaterThan(namespaces.length);

    // Strangers try all that they may send, with the ids of this gym.
    for (const message of messages) {
      for (const sender of message.access.roles!.filter((role) => role !== 'admin') as Sender[]) {
        const stranger = await connect(message.namespace, world.other, sender);
        const answer = await attempt(message, stranger, sender);
        const { otherGym } = caseOf(message);
        if (otherGym === 'nothing') expect(answer).toSucceed();
        else expect(answer).toBeRefused(otherGym);
        strangers.push(stranger);
      }
    }
    // ... and to get into its rooms.
    const rooms = [`gym:${world.own.gym.id}`, 'gym:all', `readers:${world.own.gym.id}`, `consoles:${world.own.gym.id}`];
    for (const stranger of strangers) {
      for (const event of ['join', 'subscribe', 'joinRoom', 'room']) {
        for (const room of rooms) stranger.send(event, room, { room, rooms, gym_id: world.own.gym.id });
      }
    }
    const forged = await SocketClient.connect(
      t.url,
      '/checkins',
      { token: world.other.people.trainer.access_token, gym_id: world.own.gym.id, rooms, role: 'admin' },
      { query: { gym_id: String(world.own.gym.id), rooms: rooms.join() } },
    );
    strangers.push(forged);

    // In the meantime everything happens in this gym that can be heard of.
    for (const message of messages) {
      for (const sender of message.access.roles! as Sender[]) {
        const socket = await connect(message.namespace, world.own, sender);
        await attempt(message, socket, sender);
        own.push(socket);
      }
    }
    const desk = await connect('/devices', world.own, 'trainer');
    const reader = await makeDevice(world.own.people.manager.client);
    const readerSocket = await SocketClient.connect(t.url, '/devices', { device_key: reader.device_key });
    await readerSocket.ask('finger1_captured');
    const { id } = await t.make.person('user', world.own.gym.id);
    await desk.ask('user', { user_id: id, device_id: reader.id });
    await readerSocket.next('user');
    await readerSocket.ask('user', { user_id: id });
    await readerSocket.ask('store_fingerprint', { fingerprint_data: newTemplate(), finger: 1 });
    for (let n = 0; n < 11; n++) await readerSocket.ask('user_found', { user_id: 2_000_000_000 + n });
    own.push(desk, readerSocket);
    const { body: mistaken } = await world.own.people.trainer.client.post('/attendance', { user_id: id });
    await world.own.people.admin.client.delete(`/attendance/${mistaken.id}`);
    const sale = { user_id: id, plan_id: world.own.plan.id };
    expect(await world.own.people.trainer.client.post('/user-plans', sale)).toHaveStatus(201);
    const watcher = await connect('/slots', world.own, 'trainer');
    const day = { gym_id: world.own.gym.id, date: inDays(2) };
    await watcher.ask('get_slots', day);
    await (await connect('/slots', world.own, 'user')).ask('book_slot', { ...day, slot_id: 5 });
    await watcher.next('slot_changed');
    const board = await makeDevice(world.own.people.manager.client, 'board', world.own.mark);
    const boardSocket = await SocketClient.connect(t.url, '/devices', { device_key: board.device_key });
    boardSocket.socket.on('upload', (_, answer) => answer({ success: true, output: world.own.mark }));
    await desk.ask('read_serial', { device_number: board.device_number });
    await boardSocket.ask('serial_output', { output: world.own.mark });
    await desk.next('serial_output');
    const upload = `/devices/${board.device_number}/upload`;
    expect(await world.own.people.trainer.client.post(upload, { code: 'x' })).toHaveStatus(200);
    own.push(watcher, boardSocket);

    // What is told to strangers after all of that is told in the same order as what went before.
    const { id: theirs } = await t.make.person('user', world.other.gym.id);
    const { body: visit } = await world.other.people.trainer.client.post('/attendance', { user_id: theirs });
    const theirReader = strangers.find(({ received }) => received.some(({ event }) => event === 'access'))!;
    await theirReader.ask('user_not_found');
    await forged.next('member_checked_in', ({ id: seen }) => seen === visit.id);
    await strangers
      .find(({ received }) => received.some(({ event }) => event === 'user_not_found'))!
      .next('user_not_found');

    const heard = (sockets: SocketClient[]) => sockets.flatMap(({ received }) => received);
    const leaks = heard(strangers).filter(({ payload }) => {
      const text = JSON.stringify(payload ?? null);
      return text.includes(world.own.mark) || payload?.gym_id === world.own.gym.id;
    });
    expect(leaks).toEqual([]);
    // Had nothing been told at all, that would prove nothing.
    const told = new Set(heard(own).map(({ event }) => event));
    const all = Object.values(SERVER_EVENTS).flatMap((events) => Object.keys(events));
    expect(all.filter((event) => event !== 'error' && !told.has(event))).toEqual([]);
  });
});
