import type { Server } from 'socket.io';
import type { AppSocket } from '../common/ws/gateway.js';

/** Of one message, in bytes. */
export const LARGEST_MESSAGE = 262_144;
/** What is larger than this is not even read: the connection breaks. */
export const LARGEST_FRAME = 4_194_304;
/** Messages of one socket that wait for the ones before them: as many as may come at once. */
export const LONGEST_QUEUE = 120;
/** Messages a socket may send at once, and then in every second. */
export const BURST = 120;
export const PER_SECOND = 50;
const COMPLAIN_EVERY_MS = 1_000;

/** How many messages a socket may send: a leaky bucket in memory, because one socket is on one server. */
export class RateLimit {
  private left = BURST;
  private filledAt = Date.now();
  private complainedAt = 0;

  /** Counts one message. @returns whether it may be sent */
  takeOne(): boolean {
    const now = Date.now();
    this.left = Math.min(BURST, this.left + ((now - this.filledAt) / 1000) * PER_SECOND);
    this.filledAt = now;
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }

  /** One complaint a second tells a client that it floods; an answer to each message would be a flood of our own. */
  mayComplain(): boolean {
    const now = Date.now();
    if (now - this.complainedAt < COMPLAIN_EVERY_MS) return false;
    this.complainedAt = now;
    return true;
  }
}

interface MeasuredConnection {
  bytesOfLastMessage?: number;
}
interface RawConnection extends MeasuredConnection {
  on(event: 'packet', listener: (packet: { type: string; data?: string | Buffer }) => void): void;
}

/** Counts the bytes of each message before it is decoded: a text, and the binary attachments that follow it. */
export function measureMessages(io: Server): void {
  io.engine.on('connection', (connection: RawConnection) => {
    connection.on('packet', ({ type, data }) => {
      if (type !== 'message' || !data) return;
      connection.bytesOfLastMessage =
        typeof data === 'string' ? Buffer.byteLength(data) : (connection.bytesOfLastMessage ?? 0) + data.length;
    });
  });
}

/** The bytes of the message that the socket has just sent; right until the next one comes. */
export const bytesOfLastMessage = (socket: AppSocket): number =>
  (socket.conn as unknown as MeasuredConnection).bytesOfLastMessage ?? 0;
