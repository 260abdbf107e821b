import { setTimeout as sleep } from 'node:timers/promises';
import type { Namespace } from 'socket.io';
import { Adapter, type BroadcastOptions, type ClusterMessage, MessageType } from 'socket.io-adapter';

// What the adapters over PostgreSQL and Redis do alike with a packet of Socket.IO.

/** Socket.IO's own method, which makes what is written to sockets. */
const ENCODE = '_encode';
/** The packet of Socket.IO's protocol that carries an event. */
const EVENT = 2;
const CATCH_UP = { tries: 100, pauseMs: 20 };

/** A broadcast that wants answers: the base class does it at the sender itself. */
export const isAsked = (message: ClusterMessage): boolean =>
  message.type === MessageType.BROADCAST && message.data.requestId !== undefined;

export interface Packet {
  id?: number;
  data: unknown[];
}

/** An event as it is told now, its name and its payload; null: there is nothing to tell any more. */
export type Again = () => Promise<[string, unknown] | null>;

/** What ours are told of a broadcast, besides Socket.IO's own. */
export interface Options extends BroadcastOptions {
  /** The sender waits until it is stored: it is not stored later. */
  isAwaited?: true;
  again?: Again;
}

const optionsFor = (rooms: string[], own: Omit<Options, keyof BroadcastOptions>): Options => ({
  ...{ rooms: new Set(rooms), except: new Set(), flags: {} },
  ...own,
});

/**
 * Sends an event that says how something is now. If it has to wait for the database another server may tell of the same
 * thing meanwhile: so it is told as it is by then, which `again` says.
 */
export function broadcastState(
  { adapter }: Namespace,
  rooms: string[],
  event: string,
  payload: unknown,
  again: Again,
): void {
  adapter.broadcast({ type: EVENT, data: [event, payload] }, optionsFor(rooms, { again }));
}

/**
 * Sends an event to the rooms, on all servers. Returns when it has its place in the order in which all of them get what
 * is sent: what is sent afterwards comes after it.
 * @returns whether all servers get it, and not the sockets of this one alone
 * @throws if no one gets it: it is not sent later
 */
export async function broadcastInTurn(
  { adapter }: Namespace,
  rooms: string[],
  event: string,
  payload: unknown,
): Promise<boolean> {
  const packet = { type: EVENT, data: [event, payload] };
  // Ours return a promise; Socket.IO's own types do not know it.
  const sent = adapter.broadcast(packet, optionsFor(rooms, { isAwaited: true })) as unknown;
  const isForAll = await (sent as Promise<boolean | undefined>);
  return isForAll !== false;
}

/** What is `local`, or for a single socket of this server, which Socket.IO sends through the adapter as well. */
export function isForThisServer(adapter: Pick<Adapter, 'sids'>, { rooms, flags }: BroadcastOptions): boolean {
  const [room] = rooms;
  return Boolean(flags?.local) || (rooms.size === 1 && adapter.sids.has(room!));
}

/**
 * An answer goes straight to its socket and to no other server, because it may hold a fingerprint. With it goes the
 * id of the last message that was delivered, from which the socket can go on if it loses its connection.
 */
export function sendHere(adapter: object, packet: Packet, opts: BroadcastOptions, last?: number | string | null): void {
  if (packet.id === undefined && last !== null && last !== undefined) packet.data.push(String(last));
  Adapter.prototype.broadcast.call(adapter, packet, opts);
}

/**
 * Socket.IO frames a broadcast once for all sockets, but in two pieces, head and body, which each socket gathers again.
 * One piece is one plain write, which costs less.
 */
export function frameInOnePiece(adapter: object): void {
  type Encode = (packet: unknown, options: { wsPreEncodedFrame?: Buffer[]; volatile?: boolean }) => unknown;
  const inside = adapter as Record<typeof ENCODE, Encode>;
  const encode = inside[ENCODE].bind(adapter);
  inside[ENCODE] = (packet, options) => {
    const encoded = encode(packet, options);
    // What is fleeting is kept nowhere; a connection that is writing at that moment gets it all the same.
    options.volatile = false;
    if (options.wsPreEncodedFrame) options.wsPreEncodedFrame = [Buffer.concat(options.wsPreEncodedFrame)];
    return encoded;
  };
}

/**
 * Before it is said that a socket which comes back has missed no more than this. Socket.IO takes some steps until the
 * socket is there; in a turn of the event loop of their own nothing is delivered between them. What was asked of the
 * database together is answered in one turn, and so a message could be delivered there, to all sockets but this one.
 */
export const inOwnTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Waits until this server has delivered what a socket that comes from another server has got there; otherwise the
 * socket would get it again. False if that is not soon: then there was no such message.
 */
export async function catchesUp(isThere: () => boolean): Promise<boolean> {
  for (let tries = 0; !isThere(); tries++) {
    if (tries === CATCH_UP.tries) return false;
    await sleep(CATCH_UP.pauseMs);
  }
  return true;
}

/** The event of a broadcast that a socket in these rooms would have got, with its offset. */
export function missedPacket(message: ClusterMessage, rooms: string[], offset: string): unknown[][] {
  if (message.type !== MessageType.BROADCAST || isAsked(message)) return [];
  const { packet, opts } = message.data as unknown as {
    packet: { data: unknown[] };
    opts: { rooms: string[]; except: string[]; flags?: { volatile?: boolean } };
  };
  if (opts.rooms.length > 0 && !opts.rooms.some((room) => rooms.includes(room))) return [];
  const isExcluded = opts.except.some((room) => rooms.includes(room));
  return isExcluded || opts.flags?.volatile ? [] : [[...packet.data, offset]];
}
