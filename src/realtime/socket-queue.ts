import pLimit, { type LimitFunction } from 'p-limit';
import type { AppSocket } from '../common/ws/gateway.js';

const queues = new WeakMap<AppSocket, LimitFunction>();

/** What is done for a socket, one after the other: first its welcome, then each of its messages. */
export function queueOf(socket: AppSocket): LimitFunction {
  const known = queues.get(socket);
  if (known) return known;
  const queue = pLimit(1);
  queues.set(socket, queue);
  return queue;
}
