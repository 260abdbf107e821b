import type { Namespace } from 'socket.io';
import {
  type BroadcastOptions,
  type ClusterMessage,
  type ClusterResponse,
  ClusterAdapterWithHeartbeat,
  MessageType,
  type Session,
} from 'socket.io-adapter';
import { warnOf } from '../common/outage.js';
import { everyGym } from '../database/sql.js';
import type { SocketData } from '../common/ws/gateway.js';
import { type Handshake, recoveryKey } from './handshake.js';
import {
  catchesUp,
  frameInOnePiece,
  inOwnTurn,
  isAsked,
  isForThisServer,
  missedPacket,
  type Options,
  type Packet,
  sendHere,
} from './packets.js';
import { isNews, KEPT_MS, type PostgresRelay, RECOVERY_MS } from './postgres-relay.js';

/** What the sender itself does when it is its turn to read it, too. */
export const IN_TURN = new Set<number>([
  ...[MessageType.BROADCAST, MessageType.SOCKETS_JOIN, MessageType.SOCKETS_LEAVE],
  MessageType.DISCONNECT_SOCKETS,
]);
interface StoredSession {
  sid: string;
  rooms: string[];
  data: SocketData;
}

/** Whether a message means anything here: a broadcast to rooms in which no one is need not even be encoded. */
function reaches(adapter: PostgresAdapter, message: ClusterMessage): boolean {
  if (message.type !== MessageType.BROADCAST || isAsked(message)) return true;
  const { rooms } = message.data.opts;
  return rooms.length === 0 || rooms.some((room) => adapter.rooms.has(room));
}

/** One namespace's adapter. Socket.IO's own for PostgreSQL knows no connection state recovery (docs/decisions/0013). */
export class PostgresAdapter extends ClusterAdapterWithHeartbeat {
  constructor(
    namespace: Namespace,
    private readonly relay: PostgresRelay,
    private readonly handshake: Handshake,
  ) {
    super(namespace, {});
    frameInOnePiece(this);
    relay.add(this);
  }

  receive(message: ClusterMessage, offset?: string): void {
    const isOwn = message.uid === this.uid;
    // What reaches no one here says no more than that the other server lives.
    if (!reaches(this, message)) return isOwn ? undefined : this.onMessage({ ...message, type: MessageType.HEARTBEAT });
    if (!isOwn || (IN_TURN.has(message.type) && !isAsked(message))) {
      // The base class ignores what came from itself; `emitter` is its name for a sender that is no server.
      this.onMessage(isOwn ? { ...message, uid: 'emitter' } : message, offset);
    }
  }

  /** Delivered when it is our turn to read it. */
  override async broadcast(packet: unknown, opts: BroadcastOptions): Promise<void> {
    if (isForThisServer(this, opts)) return sendHere(this, packet as Packet, opts, this.relay.delivered);
    return this.publishInTurn(MessageType.BROADCAST, opts, { packet });
  }

  override addSockets(opts: BroadcastOptions, rooms: string[]): Promise<void> {
    return this.publishInTurn(MessageType.SOCKETS_JOIN, opts, { rooms });
  }

  /** After the broadcasts before it: a socket that leaves a room gets what was sent there until then. */
  override delSockets(opts: BroadcastOptions, rooms: string[]): Promise<void> {
    return this.publishInTurn(MessageType.SOCKETS_LEAVE, opts, { rooms });
  }

  override disconnectSockets(opts: BroadcastOptions, close: boolean): Promise<void> {
    return this.publishInTurn(MessageType.DISCONNECT_SOCKETS, opts, { close });
  }

  private async publishInTurn(type: MessageType, opts: Options, what: object) {
    const { rooms, except, flags, isAwaited, again } = opts;
    const told = { rooms: [...rooms], except: [...(except ?? [])], flags };
    const message = { uid: this.uid, nsp: this.nsp.name, type, data: { ...what, opts: told } } as never;
    try {
      await this.relay.publish(message, isAwaited ? 0 : KEPT_MS, again);
    } catch (error) {
      if (isAwaited) throw error;
      warnOf(this.relay.logger, 'A broadcast was lost', error);
    }
  }

  /** What other servers are asked is worth nothing later; what they are told by `serverSideEmit` is. */
  protected override doPublish(message: ClusterMessage): Promise<never> {
    const isTold = message.type === MessageType.SERVER_SIDE_EMIT && message.data.requestId === undefined;
    return this.relay.publish(message, isTold ? KEPT_MS : 0) as Promise<never>;
  }

  protected override async doPublishResponse(_requester: string, response: ClusterResponse): Promise<void> {
    await this.relay.publish(response as unknown as ClusterMessage, 0);
  }

  /**
   * A server that gives no answer in time (killed, frozen) counts as gone until it speaks again, so that the answers of
   * the others are not lost with its.
   */
  override async fetchSockets(opts: BroadcastOptions): Promise<unknown[]> {
    const asked = Date.now();
    try {
      return await super.fetchSockets(opts);
    } catch {
      // Socket.IO's types call private what it knows of the other servers.
      const { nodesMap } = this as unknown as { nodesMap: Map<string, number> };
      for (const [uid, lastSeen] of nodesMap) {
        if (lastSeen < asked) (this as unknown as { removeNode(uid: string): void }).removeNode(uid);
      }
      return super.fetchSockets(opts);
    }
  }

  override persistSession({ pid, sid, rooms, data }: { pid: string } & StoredSession): void {
    const key = recoveryKey(this.nsp.name, pid, data);
    if (key === null) return;
    const session = JSON.stringify({ sid, rooms, data } satisfies StoredSession);
    const storing = this.relay.db
      .change(
        everyGym`
        INSERT INTO socket_sessions (pid, session) VALUES (${key}, ${session}::json)
        ON CONFLICT (pid) DO UPDATE SET session = excluded.session, disconnected_at = now()`,
      )
      .catch((error: unknown) => warnOf(this.relay.logger, 'A socket cannot be recovered', error))
      .finally(() => this.relay.storing.delete(key));
    this.relay.storing.set(key, storing);
  }

  override async restoreSession(pid: string, offset: string): Promise<Session> {
    const { db } = this.relay;
    const none = null as unknown as Session;
    // A server that has just started does not know yet what there was.
    const owned = this.handshake.ownStoredSocket(this.nsp.name, pid);
    if (!owned || !/^\d{1,15}$/.test(offset) || this.relay.delivered === null) return none;
    if (!(await catchesUp(() => this.relay.delivered! >= Number(offset)))) return none;
    // It may be back before it is stored that it was cut off.
    await this.relay.storing.get(owned.key);
    const [found] = await db.change<{ session: StoredSession }>(everyGym`
      DELETE FROM socket_sessions WHERE pid = ${owned.key}
        AND disconnected_at > now() - make_interval(secs => ${RECOVERY_MS / 1000})
      RETURNING session`);
    if (!found) return none;
    const { sid, rooms } = found.session;
    const data = { ...found.session.data, principal: owned.principal };
    // What is delivered while we read goes to the sockets that are connected, and this one is not yet: read again.
    for (;;) {
      const upTo: number | null = this.relay.delivered;
      const missed = await db.query<{ id: number; message: ClusterMessage }>(everyGym`
        SELECT id, message FROM socket_messages
        WHERE id > ${offset}::bigint AND id <= ${upTo}::bigint AND namespace = ${this.nsp.name}
          AND (rooms && ${rooms}::text[] OR rooms = '{}')
        ORDER BY id`);
      await inOwnTurn();
      if (this.relay.delivered !== upTo) continue;
      const toldOf = new Map<string, number>();
      const news = missed.filter(({ message }) => isNews(message, toldOf));
      const missedPackets = news.flatMap(({ id, message }) => missedPacket(message, rooms, String(id)));
      return { pid, sid, rooms, data, missedPackets };
    }
  }
}
