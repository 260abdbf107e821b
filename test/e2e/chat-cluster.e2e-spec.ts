import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { times } from '../support/answers.js';
import { ownDatabase } from '../support/database.js';
import type { HttpClient } from '../support/http-client.js';
import { hasRedis, Redis } from '../support/redis.js';
import { ServerProcess } from '../support/server-process.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/until.js';

const KEYS = {
  JWT_SECRET: 'a secret that only the tests know, of some length',
  ENCRYPTION_KEYS: 'test:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdC0=',
  FINGERPRINT_KEYS: 'test:ZmluZ2VyLWtleS1maW5nZXIta2V5LWZpbmdlci1rZXk=',
};
const ways = [
  { way: 'PostgreSQL', isRedis: false },
  { way: 'Redis', isRedis: true },
];

for (const { way, isRedis } of ways) {
  (isRedis && !hasRedis ? describe.skip : describe)(`a conversation over two servers and ${way}`, () => {
    let redis: Redis | undefined;
    let servers: ServerProcess[];
    let database: pg.Client;
    let urls: string[];
    /** The admin at the first server, the trainer at the second. */
    let people: HttpClient[];
    let id: number;

    beforeAll(async () => {
      if (isRedis) redis = await Redis.started();
      const DATABASE_URL = await ownDatabase(`chat_cluster_${way.toLowerCase()}`, { empty: true });
      const settings = { ...KEYS, DATABASE_URL, LOG_LEVEL: 'warn', ...(redis && { REDIS_URL: redis.url }) };
      servers = [1, 2].map(() => new ServerProcess(settings));
      const clients = await Promise.all(servers.map((server) => server.ready()));
      urls = clients.map(({ base }) => base.replace('/api/v1', ''));
      database = new pg.Client(DATABASE_URL);
      await database.connect();
      const signIns = [
        { email: 'admin@gym.com', password: 'admin123' },
        { email: 'trainer@gym.com', password: 'trainer123' },
      ];
      people = await Promise.all(
        clients.map(async (client, index) =>
          client.withToken((await client.post('/auth/login', signIns[index])).body.access_token),
        ),
      );
      id = (await people[0]!.post('/chat/conversations/start', { user2: 2 })).body.id;
      await knowEachOther();
    });
    afterAll(async () => {
      SocketClient.closeAll();
      await Promise.all(servers.map((server) => server.kill('SIGKILL')));
      await database.end();
      await redis?.end();
    });

    const connect = (person: 0 | 1, server: 0 | 1) =>
      SocketClient.connect(urls[server]!, '/chat', { token: people[person]!.token });
    const say = (socket: SocketClient, content: string) => socket.ask('message', { conversation_id: id, content });
    const told = (socket: SocketClient): number[] => socket.all('chat_message').map(({ message_id }) => message_id);
    const stored = async (): Promise<number[]> =>
      (await people[0]!.all(`/chat/conversations/${id}/messages?limit=200`)).map((message) => message.id);

    /** Servers that have just started hear of each other within a moment. */
    async function knowEachOther(): Promise<void> {
      const sockets = [await connect(0, 0), await connect(1, 1)];
      await until(async () => {
        for (const socket of sockets) await say(socket, 'hello');
        return sockets.every((socket) => new Set(socket.all('chat_message').map(({ sender }) => sender.id)).size === 2);
      });
      for (const socket of sockets) socket.close();
    }

    it('tells both, on all their devices, each message once and in the order of the ids', async () => {
      const before = (await stored()).at(-1)!;
      const sockets = [await connect(0, 0), await connect(1, 1), await connect(0, 1), await connect(1, 0)];
      // Both write as fast as they can, over sockets and REST, through both servers.
      const answers = await times(80, async (index) => {
        const [person, server] = [(index % 2) as 0 | 1, (Math.floor(index / 2) % 2) as 0 | 1];
        if (index % 4 < 2) return say(sockets[index % 4]!, `${index}`);
        const client = people[person]!.withToken(people[person]!.token!);
        const path = `${urls[server]}/api/v1/chat/conversations/${id}/send_message`;
        return (await client.post(path, { content: `${index}` })).body;
      });
      const sent = answers.map((answer) => answer.id as number).toSorted((a, b) => a - b);
      expect((await stored()).filter((one) => one > before)).toEqual(sent);
      for (const socket of sockets) {
        const toldNow = () => told(socket).filter((one) => one > before);
        await until(() => toldNow().length >= sent.length);
        expect(toldNow()).toEqual(sent);
      }
      for (const socket of sockets) socket.close();
    });

    it('tells what happened to a message after the message, though another server has done it', async () => {
      const [mine, theirs] = [await connect(0, 0), await connect(1, 1)];
      for (let round = 0; round < 40; round++) {
        const { id: messageId } = await say(mine, `round ${round}`);
        const path = `${urls[1]}/api/v1/chat/messages/${messageId}`;
        expect(await people[0]!.send('PATCH', path, { content: 'edited' })).toHaveStatus(200);
      }
      await until(() => theirs.all('message_edited').length === 40);
      const seen = new Set<number>();
      for (const { event, payload } of theirs.received) {
        if (event === 'chat_message') seen.add(payload.message_id);
        else if (event === 'message_edited') expect(seen.has(payload.message_id)).toBe(true);
      }
      for (const socket of [mine, theirs]) socket.close();
    });

    it('tells the other server who is typing', async () => {
      const [mine, theirs] = [await connect(0, 0), await connect(1, 1)];
      await mine.ask('typing', { conversation_id: id, is_typing: true });
      expect(await theirs.next('typing_indicator')).toMatchObject({ user: { id: 1 }, is_typing: true });
      expect(mine.all('typing_indicator')).toEqual([]);
      for (const socket of [mine, theirs]) socket.close();
    });

    it('tells what it has answered when all connections to the database break just then', async () => {
      const [mine, theirs] = [await connect(0, 0), await connect(1, 1)];
      const sent: number[] = [];
      for (let round = 0; round < 5; round++) {
        // While the connections are made again it may be refused.
        sent.push(await until(async () => (await say(mine, `round ${round}`)).id as number | undefined));
        await database.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name LIKE 'spotter%' AND datname = current_database()`,
        );
        await until(() => [mine, theirs].every((socket) => told(socket).includes(sent[round]!)));
      }
      for (const socket of [mine, theirs]) expect([...new Set(told(socket))]).toEqual(sent);
      for (const socket of [mine, theirs]) socket.close();
    });

    it('tells of the others while a server that hangs is telling of one', async () => {
      const { rows } = await database.query<{ id: number }>(
        `INSERT INTO users (email, full_name, document_id, role, gym_id)
         VALUES ('other@example.com', 'Other', 'other', 'user', 1) RETURNING id`,
      );
      const other = (await people[0]!.post('/chat/conversations/start', { user2: rows[0]!.id })).body.id;
      const mine = await connect(0, 0);
      const turn = 'SELECT pg_advisory_lock(20251127, $1)';
      await database.query(turn, [id]);
      const held = await say(mine, 'of the one that waits');
      const passing = await mine.ask('message', { conversation_id: other, content: 'of another' });
      await until(() => told(mine).includes(passing.id));
      expect(told(mine)).not.toContain(held.id);
      await database.query(turn.replace('lock', 'unlock'), [id]);
      await until(() => told(mine).includes(held.id));
      mine.close();
    });

    (isRedis ? it : it.skip)('tells all what was written while Redis was away, when it is back', async () => {
      const sockets = [await connect(0, 0), await connect(1, 1)];
      await redis!.end('SIGKILL');
      const sent: number[] = [];
      for (let index = 0; index < 6; index++) sent.push((await say(sockets[index % 2]!, `away ${index}`)).id);
      await redis!.start();
      await until(() => sockets.every((socket) => sent.every((message) => told(socket).includes(message))));
      for (const socket of sockets) socket.close();
    });

    it('loses nothing of a server that is killed while its people write', async () => {
      const [mine, theirs] = [await connect(0, 0), await connect(1, 1)];
      const seen = (await stored()).at(-1)!;
      const answered: number[] = [];
      const writing = times(60, async (index) => {
        const answer = await theirs.socket
          .timeout(3_000)
          .emitWithAck('message', { conversation_id: id, content: `last ${index}` })
          .catch(() => null);
        if (answer?.id) answered.push(answer.id);
      });
      await until(() => answered.length > 5);
      await servers[1]!.kill('SIGKILL');
      await writing;
      // The next message tells what the dead server could not.
      const last = await say(mine, 'still here');
      await mine.next('chat_message', ({ message_id }) => message_id === last.id);
      const found = (await stored()).filter((one) => one > seen);
      expect(answered.filter((one) => !found.includes(one))).toEqual([]);
      expect([...new Set(told(mine))].filter((one) => one > seen)).toEqual(found);
    });
  });
}
