import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { type ClusterMessage, MessageType } from 'socket.io-adapter';
import type { Database } from '../database/database.js';
import type { Notifications } from '../database/notifications.js';
import { PostgresRelay } from './postgres-relay.js';

describe('what is published over PostgreSQL', () => {
  it('is stored at once, however soon after the one before', async () => {
    let id = 0;
    const answers: ((rows: { id: number }[]) => void)[] = [];
    const statement = () => new Promise((resolve) => answers.push(resolve));
    const relay = new PostgresRelay({ statement } as unknown as Database, {} as Notifications);
    relay.delivered = 0;
    const message = { type: MessageType.SOCKETS_JOIN, nsp: '/', uid: 'x', data: {} } as unknown as ClusterMessage;
    for (let steps = 0; steps < 20; steps++) {
      const first = relay.publish(message, 0);
      answers.shift()!([{ id: ++id }]);
      // Each way between "no more was there" and "nothing is under way".
      for (let step = 0; step < steps; step++) await Promise.resolve();
      const second = relay.publish(message, 0);
      await turn();
      expect([steps, answers.length]).toEqual([steps, 1]);
      answers.shift()!([{ id: ++id }]);
      expect(await Promise.all([first, second])).toEqual([String(id - 1), String(id)]);
      await turn();
    }
  });

  it('is read again if the database did not answer, though nothing more is published', async () => {
    const answers = [new Error('the connection broke'), [{ id: 1, message: { nsp: '/', type: 0, uid: 'other' } }]];
    const query = () => {
      const answer = answers.shift() ?? [];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    };
    let notify: (payload: string) => void;
    const listen = (_channel: string, listener: typeof notify) => (notify = listener);
    const notifications = { connected: true, listen, onReset: () => {} };
    const relay = new PostgresRelay({ query } as unknown as Database, notifications as unknown as Notifications);
    const received = new Promise((resolve) => {
      relay.add({ nsp: { name: '/' }, receive: (_message, offset) => resolve(offset) });
    });
    relay.delivered = 0;
    relay.logger.warn = () => {};
    relay.listen();
    notify!('of another server');
    expect(await received).toBe('1');
  });
});
