import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import pLimit from 'p-limit';
import { type ClusterMessage, MessageType } from 'socket.io-adapter';
import { Unavailable } from '../common/errors/common.errors.js';
import { knownJson } from '../common/http/list.js';
import { warnOf } from '../common/outage.js';
import { Database } from '../database/database.js';
import { Notifications } from '../database/notifications.js';
import { everyGym } from '../database/sql.js';
import { type Again, isAsked, type Packet } from './packets.js';

const CHANNEL = 'socket_messages';
/** How long a socket may be away and still get what it missed. Messages are kept longer than that. */
export const RECOVERY_MS = 120_000;
export const KEPT_MS = 2 * RECOVERY_MS;

/** The lock of those who store messages; also in the SQL function that did it before. */
const IN_ORDER = 7283001;
/** Messages that are stored by one query. It waits for the one before alone: other servers tell of the same things. */
const BATCH = 100;
/** Stands between them: in JSON there is no such character but as an escape (RFC 8259, section 7). */
const SEPARATOR = '\u001e';

/** If the database did not answer. */
const RETRY_MS = 1_000;
/** PostgreSQL takes 8,000 bytes. */
const LARGEST_NOTIFICATION = 8_000;

/** Each server counts its messages: one that was stored twice, because the first answer was lost, is told once. */
type Counted = ClusterMessage & { count?: number };

/** A namespace's adapter. */
interface Line {
  nsp: { name: string };
  receive(message: ClusterMessage, offset?: string): void;
}

interface Unsent {
  message: Counted;
  text: string;
  /** So long it waits for a database that is away. */
  until: number;
  /** What it tells by then. */
  again?: Again;
  hasWaited?: true;
  resolve(id: string): void;
  reject(error: unknown): void;
}

/**
 * The servers' line to each other's sockets through PostgreSQL. Every message is a row with a rising id, and each
 * server reads on from the last one it has delivered, its own messages too: so all sockets get everything once and in
 * one order, a server whose connection broke misses nothing, and a socket that was away gets what came after its last
 * message, on whichever server it returns to.
 */
@Injectable()
export class PostgresRelay {
  readonly logger = new Logger('Realtime');
  private readonly adapters = new Map<string, Line>();
  /** The last message that was delivered here; null until the first look. */
  delivered: number | null = null;
  private reading: Promise<void> | undefined;
  private isStale = false;
  private retry: NodeJS.Timeout | undefined;
  private readonly unsent: Unsent[] = [];
  private sending: Promise<void> | undefined;
  /** One at a time: several connections would not keep the order of what is stored nowhere, either. */
  private readonly inTurn = pLimit(1);
  private isStopping = false;
  private published = 0;
  /** How far each server has been told, by the sender. */
  private readonly toldOf = new Map<string, number>();
  /** By which it knows its own notifications. */
  private id = randomUUID();
  /** Sockets that were cut off, on their way to where they can go on, by their keys there. */
  readonly storing = new Map<string, Promise<unknown>>();

  constructor(
    readonly db: Database,
    private readonly notifications: Notifications,
  ) {}

  /** To be called before the application has started. */
  listen(): void {
    this.notifications.listen(CHANNEL, (payload) => {
      // What is not stored (heartbeats, who is typing) travels in the notification itself.
      if (payload.startsWith('{')) this.deliver(JSON.parse(payload) as ClusterMessage);
      // What was stored here needs no reading: `send` goes on with it.
      else if (payload !== this.id) this.readOn();
    });
    this.notifications.onReset(() => this.readIfConnected());
  }

  add(adapter: Line): void {
    this.adapters.set(adapter.nsp.name, adapter);
  }

  /**
   * @param patienceMs if the database is away it is stored later, but not later than this
   * @param again what it tells if it is stored later
   */
  async publish(message: Counted, patienceMs: number, again?: Again): Promise<string> {
    message.count = ++this.published;
    const text = textOf(message);
    if (isFleeting(message) && Buffer.byteLength(text) < LARGEST_NOTIFICATION) {
      await this.inTurn(() => this.db.change(everyGym`SELECT pg_notify(${CHANNEL}, ${text})`));
      return '';
    }
    return new Promise((resolve, reject) => {
      this.unsent.push({ message, text, until: performance.now() + patienceMs, again, resolve, reject });
      this.sending ??= this.send();
    });
  }

  /** In the order in which they were published, which several connections would not keep. */
  private async send(): Promise<void> {
    while (this.unsent.length > 0) {
      let batch = this.unsent.splice(0, BATCH);
      try {
        if (batch.some(({ hasWaited }) => hasWaited)) batch = await this.toTellStill(batch);
        const namespaces = batch.map(({ message }) => message.nsp);
        const rooms = batch.map(({ message }) => roomsOf(message).join(' '));
        // As one text: pg and PostgreSQL would look through each element of an array for what must be escaped in it.
        const texts = batch.map(({ text }) => text).join(SEPARATOR);
        // The lock keeps what is committed in the order of its ids. No part of the statement is a query of its own:
        // to begin each costs more than the row.
        const rows = await this.db.statement((unit) =>
          unit.query<{ id: number }>(everyGym`
            INSERT INTO socket_messages (namespace, rooms, message)
            SELECT namespace, string_to_array(rooms, ' '), message::json
            FROM (SELECT pg_advisory_xact_lock(${IN_ORDER})) turn,
              unnest(${namespaces}::text[], ${rooms}::text[], string_to_array(${texts}, ${SEPARATOR}))
                WITH ORDINALITY q (namespace, rooms, message, place)
            ORDER BY place RETURNING id, pg_notify(${CHANNEL}, ${this.id})`),
        );
        batch.forEach((one, index) => one.resolve(String(rows[index]!.id)));
        this.deliverOwn(batch, rows);
      } catch (error) {
        // If only the answer was lost they are stored all the same, or soon: then what is told of them is news here.
        this.id = randomUUID();
        this.readOn();
        const isAway = error instanceof Unavailable && !this.isStopping;
        const waiting = batch.filter(({ until }) => isAway && performance.now() < until);
        for (const one of batch) if (!waiting.includes(one)) one.reject(error);
        if (waiting.length === 0) continue;
        for (const one of waiting) one.hasWaited = true;
        // Before all that came meanwhile.
        this.unsent.unshift(...waiting);
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
    // In the same step in which there was no more, or what comes in between would wait for the next.
    this.sending = undefined;
  }

  /** What has waited is told as it is now: another server may have told of the same thing meanwhile. */
  private async toTellStill(batch: Unsent[]): Promise<Unsent[]> {
    const left: Unsent[] = [];
    for (const one of batch) {
      const told = one.hasWaited && one.again ? await this.ask(one.again) : undefined;
      if (told === null) {
        one.resolve('');
        continue;
      }
      if (told) {
        (one.message as unknown as { data: { packet: Packet } }).data.packet.data = told;
        one.text = textOf(one.message);
      }
      left.push(one);
    }
    return left;
  }

  /** Undefined if it cannot be read: then it is told as it was, and those that wait with it are not lost. */
  private async ask(again: Again): Promise<Awaited<ReturnType<Again>> | undefined> {
    try {
      return await again();
    } catch (error) {
      if (error instanceof Unavailable) throw error;
      warnOf(this.logger, 'A broadcast is told as it was', error);
      return undefined;
    }
  }

  /** What follows directly on the last message need not be read again; otherwise those of others come before it. */
  private deliverOwn(batch: Unsent[], stored: { id: number }[]): void {
    for (const [index, { id }] of stored.entries()) {
      if (this.delivered === null || id !== this.delivered + 1) return this.readOn();
      this.delivered = id;
      this.deliver(batch[index]!.message, String(id));
    }
  }

  /** Before the end: returns when what was published is stored, if it can be, and who was cut off. */
  async flush(): Promise<void> {
    this.isStopping = true;
    while (this.sending || this.storing.size > 0) await Promise.all([this.sending, ...this.storing.values()]);
  }

  /** If it is not, what is missed is read as soon as it is. */
  private readIfConnected(): void {
    if (this.notifications.connected) this.readOn();
  }

  private readOn(): void {
    this.isStale = true;
    this.reading ??= this.read();
  }

  private async read(): Promise<void> {
    try {
      while (this.isStale) {
        this.isStale = false;
        await this.readNext();
      }
    } catch (error) {
      warnOf(this.logger, 'Messages of other servers are delayed', error);
      this.retry ??= setTimeout(() => {
        this.retry = undefined;
        this.readIfConnected();
      }, RETRY_MS).unref();
    } finally {
      // In the same step in which nothing was stale, or what is stored in between would not be read.
      this.reading = undefined;
    }
  }

  private async readNext(): Promise<void> {
    if (this.delivered === null) {
      const [last] = await this.db.query<{ id: number }>(
        everyGym`SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS id FROM socket_messages_id_seq`,
      );
      this.delivered = last!.id;
    }
    const rows = await this.db.query<{ id: number; message: ClusterMessage }>(everyGym`
      SELECT id, message FROM socket_messages WHERE id > ${this.delivered} ORDER BY id LIMIT 500`);
    for (const { id, message } of rows) {
      // One of our own may have been delivered meanwhile.
      if (id <= this.delivered) continue;
      this.delivered = id;
      this.deliver(message, String(id));
    }
    this.isStale ||= rows.length === 500;
  }

  /** @param offset its id, if it is stored */
  private deliver(message: Counted, offset?: string): void {
    if (offset === undefined || isNews(message, this.toldOf)) this.adapters.get(message.nsp)?.receive(message, offset);
  }
}

/** Whether it comes for the first time. @param toldOf how far each sender has come */
export function isNews({ uid, count = Infinity }: Counted, toldOf: Map<string, number>): boolean {
  if (count <= (toldOf.get(uid) ?? 0)) return false;
  if (count < Infinity) toldOf.set(uid, count);
  return true;
}

/** To whom it goes; all, if there are none. */
const roomsOf = (message: ClusterMessage): string[] =>
  message.type === MessageType.BROADCAST ? message.data.opts.rooms : [];

/**
 * A message as JSON. What it tells is mostly a row that was just read, which knows its own JSON: looking through it and
 * writing its moments takes several times as long.
 */
function textOf(message: Counted): string {
  if (message.type !== MessageType.BROADCAST || isAsked(message)) return JSON.stringify(message);
  const { uid, nsp, type, data, count } = message;
  const { type: kind, data: told } = data.packet as Packet & { type: number };
  const json = told.length === 2 ? knownJson(told[1]) : undefined;
  if (json === undefined) return JSON.stringify(message);
  const packet = `{"type":${kind},"data":[${JSON.stringify(told[0])},${json}]}`;
  const opts = JSON.stringify(data.opts);
  return `{"uid":"${uid}","nsp":"${nsp}","type":${type},"count":${count},"data":{"opts":${opts},"packet":${packet}}}`;
}

/** What is worth nothing a moment later is stored nowhere: it travels in the notification itself. */
function isFleeting(message: ClusterMessage): boolean {
  if (message.type === MessageType.BROADCAST) return Boolean(message.data.opts.flags?.volatile) && !isAsked(message);
  return message.type === MessageType.HEARTBEAT || message.type === MessageType.INITIAL_HEARTBEAT;
}

/** Deletes messages and sockets that are too old to be recovered. */
export async function purgeSocketMessages(db: Database): Promise<void> {
  const old = everyGym`now() - make_interval(secs => ${KEPT_MS / 1000})`;
  await db.change(everyGym`DELETE FROM socket_messages WHERE created_at < ${old}`);
  await db.change(everyGym`DELETE FROM socket_sessions WHERE disconnected_at < ${old}`);
}
