import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import type { Namespace } from 'socket.io';
import { type Adapter, type BroadcastOptions, MessageType } from 'socket.io-adapter';
import { Config } from '../config/config.js';
import type { SocketData } from '../common/ws/gateway.js';
import { Handshake, recoveryKey } from './handshake.js';
import {
  catchesUp,
  frameInOnePiece,
  inOwnTurn,
  isForThisServer,
  missedPacket,
  type Packet,
  sendHere,
} from './packets.js';
import { IN_TURN, PostgresAdapter } from './postgres-adapter.js';
import { PostgresRelay } from './postgres-relay.js';
import { RedisLink } from './redis-link.js';

const STREAM = 'spotter';
const BROADCAST = String(MessageType.BROADCAST);

/** How several servers reach each other's sockets: over Redis if REDIS_URL is set, over PostgreSQL otherwise. */
@Injectable()
export class Cluster implements OnApplicationShutdown {
  private readonly logger = new Logger('Realtime');
  private readonly redis: RedisLink | null;
  /** Broadcasts that Redis has not taken yet. */
  private readonly unsent = new Set<Promise<unknown>>();
  readonly adapter: (namespace: Namespace) => Adapter;

  constructor(
    config: Config,
    private readonly handshake: Handshake,
    private readonly relay: PostgresRelay,
  ) {
    this.redis = config.REDIS_URL ? new RedisLink(config.REDIS_URL) : null;
    if (this.redis) this.adapter = this.overRedis(this.redis);
    else {
      relay.listen();
      this.adapter = (namespace) => new PostgresAdapter(namespace, relay, handshake);
    }
  }

  /** Whether servers reach each other; null where no Redis is configured. */
  get isRedisReady(): boolean | null {
    return this.redis && this.redis.isReady;
  }

  /** Called when Redis is back: what was told meanwhile may have reached the sockets of this server alone. */
  onBack(call: () => void): void {
    this.redis?.onBack.push(call);
  }

  /** @throws ConfigError if Redis does not answer */
  async connect(): Promise<void> {
    await this.redis?.connect();
  }

  /** Returns when the other servers can read what was broadcast here, and who was cut off. */
  async flush(): Promise<void> {
    const waiting = () => [...this.unsent, ...(this.redis?.unanswered ?? [])];
    while (waiting().length > 0) await Promise.allSettled(waiting());
    await this.relay.flush();
  }

  onApplicationShutdown(): void {
    this.redis?.close();
  }

  /**
   * As over PostgreSQL, a server reads its own messages too: all sockets get everything in the order of the stream, and
   * one that comes back gets what was read here after its last message, neither more nor less.
   */
  private overRedis(redis: RedisLink): (namespace: Namespace) => Adapter {
    // Made when Redis answers: it opens connections of its own.
    let create: ReturnType<typeof createAdapter> | undefined;
    const { logger, unsent, handshake } = this;
    return function make(namespace) {
      create ??= createAdapter(redis.client, { streamName: STREAM, sessionKeyPrefix: 'spotter:session:' });
      const adapter = create(namespace) as unknown as StreamAdapter;
      frameInOnePiece(adapter);
      const [receive, restore] = [adapter.onRawMessage.bind(adapter), adapter.restoreSession.bind(adapter)];
      const [count, persist] = [adapter.serverCount.bind(adapter), adapter.persistSession.bind(adapter)];
      let received: string | undefined;
      /** The last message that was read here, or was there before. */
      const last = () => received ?? redis.firstId;
      let number = 0;
      /** Messages that our own sockets got without Redis, and that Redis may still pass on when it answers again. */
      const givenUp = new Set<string>();
      adapter.onRawMessage = (message, offset) => {
        received = offset ?? received;
        if (givenUp.delete(message.uid!)) return;
        const isOwn = message.uid!.startsWith(`${adapter.uid}:`) && IN_TURN.has(Number(message.type));
        receive(isOwn ? { ...message, uid: 'emitter' } : message, offset);
      };
      const publish = async (type: MessageType, { rooms, except, flags }: BroadcastOptions, what: object) => {
        const opts = { rooms: [...rooms], except: [...(except ?? [])], flags };
        const uid = `${adapter.uid}:${number++}`;
        const message = { type, uid, nsp: namespace.name, data: { ...what, opts } };
        const publishing = redis.ask(() => adapter.doPublish(message));
        unsent.add(publishing);
        try {
          await publishing;
          return true;
        } catch (error) {
          if (redis.isFrozen) givenUp.add(uid);
          if (redis.isReady) logger.warn(`Other servers do not get a broadcast: ${(error as Error).message}`);
          adapter.onMessage({ ...message, uid: 'emitter' });
          return false;
        } finally {
          unsent.delete(publishing);
        }
      };
      // If Redis cannot tell, this server counts as alone: a question to all servers is asked here only.
      adapter.serverCount = () => redis.ask(count).catch(() => 1);
      adapter.broadcast = async (packet, opts) => {
        if (!isForThisServer(adapter, opts)) return publish(MessageType.BROADCAST, opts, { packet });
        sendHere(adapter, packet, opts, last());
        return true;
      };
      adapter.addSockets = (opts, rooms) => publish(MessageType.SOCKETS_JOIN, opts, { rooms });
      adapter.delSockets = (opts, rooms) => publish(MessageType.SOCKETS_LEAVE, opts, { rooms });
      adapter.disconnectSockets = (opts, close) => publish(MessageType.DISCONNECT_SOCKETS, opts, { close });
      adapter.persistSession = (session) => {
        const key = recoveryKey(namespace.name, session.pid, session.data as SocketData);
        if (key !== null) persist({ ...session, pid: key });
      };
      adapter.restoreSession = async (pid, offset) => {
        const owned = handshake.ownStoredSocket(namespace.name, pid);
        const isRead = (id: string | undefined) => id !== undefined && !isLater(offset, id);
        if (!owned || !(await catchesUp(() => isRead(last())))) return null as never;
        const session = await redis.ask(() => restore(owned.key, offset));
        if (!session) return null as never;
        const data = { ...(session.data as SocketData), principal: owned.principal };
        for (;;) {
          const upTo = last()!;
          const entries = (await redis.ask(() => redis.client.xRange(STREAM, `(${offset}`, upTo))) ?? [];
          await inOwnTurn();
          if (last() !== upTo) continue;
          const missedPackets = entries.flatMap(({ id, message: { nsp, type, data: text } }) =>
            nsp === namespace.name && type === BROADCAST
              ? missedPacket({ type: MessageType.BROADCAST, data: JSON.parse(text!) } as never, session.rooms, id)
              : [],
          );
          return { ...session, pid, data, missedPackets };
        }
      };
      return adapter as unknown as Adapter;
    };
  }
}

/** Of two ids of a stream: a time and a number, as in 1764208800000-0. */
function isLater(id: string, than: string): boolean {
  const [time, number] = id.split('-').map(Number);
  const [thanTime, thanNumber] = than.split('-').map(Number);
  return time! > thanTime! || (time === thanTime && number! > thanNumber!);
}

/** What we use of the class of the library, which is not exported. */
interface StreamAdapter extends Omit<Adapter, 'broadcast' | 'addSockets' | 'delSockets' | 'disconnectSockets'> {
  readonly uid: string;
  onRawMessage(message: Record<string, string>, offset?: string): void;
  onMessage(message: object): void;
  doPublish(message: object): Promise<string>;
  serverCount(): Promise<number>;
  broadcast(packet: Packet, opts: BroadcastOptions): Promise<unknown>;
  addSockets(opts: BroadcastOptions, rooms: string[]): Promise<unknown>;
  delSockets(opts: BroadcastOptions, rooms: string[]): Promise<unknown>;
  disconnectSockets(opts: BroadcastOptions, close: boolean): Promise<unknown>;
}
