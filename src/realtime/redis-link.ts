import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { createClient, ErrorReply } from 'redis';
import { Outage } from '../common/outage.js';
import { ConfigError } from '../config/config-error.js';

/** Longer than this nothing waits for Redis. */
const ANSWER_MS = 2_000;
const CONNECT_MS = 5_000;
const PING_MS = 1_000;
/** A connection on which nothing moves for this long is made again; longer than the adapter's XREAD blocks (5 s). */
const SILENCE_MS = 8_000;
const RETRY_MS = 250;
const PING_KEY = 'spotter:ping';

/**
 * The connection to Redis. It is lost in four ways: refused, cut, frozen (the connection is open and Redis does not
 * answer), or it refuses to write. In all four what is asked fails within two seconds, then at once, until a ping is
 * answered.
 */
export class RedisLink {
  readonly client;
  private readonly write;
  private readonly outage = new Outage(new Logger('Realtime'), 'Redis');
  /** The connection is open and Redis does not answer. */
  isFrozen = false;
  /** It answers, and takes nothing: its memory or its disk is full, or it follows another now. */
  private isRefusing = false;
  private isClosed = false;
  /** How those who wait for an answer give up, in the order in which they asked. */
  private readonly waiting = new Set<() => void>();
  /** Called when Redis is back: what was told meanwhile did not reach the other servers. */
  readonly onBack: (() => void)[] = [];
  /** What the adapter has written and does not wait for. */
  readonly unanswered = new Set<Promise<unknown>>();
  private first: Promise<string> | undefined;
  /** Where the stream ended when reading began; before that undefined. */
  firstId: string | undefined;

  constructor(url: string) {
    this.client = createClient({
      url,
      disableOfflineQueue: true,
      pingInterval: PING_MS * 3,
      socket: { socketTimeout: SILENCE_MS, connectTimeout: CONNECT_MS, reconnectStrategy: RETRY_MS },
    });
    this.client.on('error', (error: Error) => this.client.isOpen && this.outage.lost(error));
    // When a connection of the adapter breaks, the adapter asks it again at once and for ever, and the process does
    // nothing else.
    const duplicate = this.client.duplicate.bind(this.client);
    Object.assign(this.client, { duplicate: () => this.patient(duplicate()) });
    this.write = this.client.set.bind(this.client);
    // The adapter ignores the promises of these commands: one that fails would end the process.
    for (const command of ['publish', 'set'] as const) {
      const ask = this.client[command].bind(this.client) as (...parameters: unknown[]) => Promise<unknown>;
      const unheard = (...parameters: unknown[]) => {
        const answered = this.ask(() => ask(...parameters))
          .catch(() => null)
          .finally(() => this.unanswered.delete(answered));
        this.unanswered.add(answered);
        return answered;
      };
      Object.assign(this.client, { [command]: unheard });
    }
  }

  /** Whether Redis answers, as far as we know. */
  get isReady(): boolean {
    return this.client.isReady && !this.isFrozen && !this.isRefusing;
  }

  /** @throws ConfigError if Redis does not answer */
  async connect(): Promise<void> {
    const late = sleep(CONNECT_MS, 'late', { ref: false });
    if ((await Promise.race([this.client.connect(), late])) === 'late') {
      this.close();
      throw new ConfigError('REDIS_URL: there is no Redis that answers. Start it, or unset REDIS_URL.');
    }
    void this.watch();
  }

  close(): void {
    this.isClosed = true;
    if (this.client.isOpen) this.client.destroy();
  }

  /** What Redis answers. @throws if it does not, soon */
  async ask<Answer>(command: () => Promise<Answer>): Promise<Answer> {
    if (!this.isReady) throw new Error('Redis does not answer');
    return this.inTime(command());
  }

  /** Who has asked longest gives up for all: one who asks later must not be told before. */
  private inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(new Error(`Redis did not answer within ${ANSWER_MS / 1000} s`));
      this.waiting.add(giveUp);
      const timer = setTimeout(() => {
        this.isFrozen = true;
        for (const one of this.waiting) one();
      }, ANSWER_MS).unref();
      void answer.then(resolve, reject).finally(() => {
        clearTimeout(timer);
        this.waiting.delete(giveUp);
      });
    });
  }

  /** Notices that Redis is frozen or refuses, also while the server asks nothing else of it, and that it is over. */
  private async watch(): Promise<void> {
    while (!this.isClosed) {
      // What answers a ping may still refuse to write.
      const ping = this.write(PING_KEY, '1', { PX: SILENCE_MS });
      try {
        await this.inTime(ping);
        const wasLost = this.isFrozen || this.outage.isOn;
        [this.isFrozen, this.isRefusing] = [false, false];
        this.outage.back();
        if (wasLost) for (const call of this.onBack) call();
      } catch (error) {
        this.isRefusing = error instanceof ErrorReply;
        if (!this.isClosed) this.outage.lost(error);
        // One ping at a time, so that the connection falls silent and is made again.
        await ping.catch(() => undefined);
      }
      await sleep(PING_MS, undefined, { ref: false });
    }
  }

  /** A connection that reads the stream: from where it is now, and pausing after a failure. */
  private patient(reader: typeof this.client): typeof this.client {
    type Read = (streams: { key: string; id: string }[], options: object) => Promise<unknown>;
    const read = reader.xRead.bind(reader) as unknown as Read;
    const xRead: Read = async ([stream], options) => {
      try {
        // '$' is what comes after the question: what came between two questions would be lost.
        const id = stream!.id === '$' ? await this.start(reader, stream!.key) : stream!.id;
        return await read([{ key: stream!.key, id }], options);
      } catch (error) {
        await sleep(RETRY_MS, undefined, { ref: false });
        throw error;
      }
    };
    return Object.assign(reader, { xRead });
  }

  private async start(reader: typeof this.client, stream: string): Promise<string> {
    this.first ??= reader.xRevRange(stream, '+', '-', { COUNT: 1 }).then((last) => last?.[0]?.id ?? '0-0');
    this.first.then(
      (id) => (this.firstId = id),
      () => (this.first = undefined),
    );
    return this.first;
  }
}
