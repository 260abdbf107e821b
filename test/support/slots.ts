import type { Factory, SignedIn } from './factory.js';
import type { Answer, HttpClient } from './http-client.js';

const HOUR_MS = 3_600_000;

/** A day of a gym in UTC, so many days from now. */
export const inDays = (days: number): string => new Date(Date.now() + days * 24 * HOUR_MS).toISOString().slice(0, 10);

/** Far enough that it does not become today while a test runs. */
export const SOON = inDays(2);

export interface SlotGym {
  gym: { id: number };
  manager: SignedIn;
  member: SignedIn;
}

/** A gym with a person who runs it and a person who trains there. */
export async function makeSlotGym(make: Factory, settings: object = {}, timezone = 'UTC'): Promise<SlotGym> {
  const gym = await make.gym({ timezone });
  const [manager, member] = await Promise.all([make.signedIn('manager', gym.id), make.signedIn('user', gym.id)]);
  const { status } = await manager.client.put('/slots/settings', settings);
  if (status !== 200) throw new Error(`PUT /slots/settings answered ${status}`);
  return { gym, manager, member };
}

export const book = (client: HttpClient, slot: number, body: object = { date: SOON }): Promise<Answer> =>
  client.post(`/slots/${slot}/book`, body);

export const cancel = (client: HttpClient, slot: number, body: object = { date: SOON }): Promise<Answer> =>
  client.post(`/slots/${slot}/cancel`, body);

/** What came of it within one and the same hour of the clock. */
export async function withinOneHour<Value>(work: (now: Date) => Promise<Value>): Promise<Value> {
  for (;;) {
    const now = new Date();
    const value = await work(now);
    if (Math.floor(Date.now() / HOUR_MS) === Math.floor(now.getTime() / HOUR_MS)) return value;
  }
}

/** The hour of a gym in UTC, so many from the one that is now. */
export function hourFromNow(hours: number): { slot: number; date: string } {
  const at = new Date(Date.now() + hours * HOUR_MS);
  return { slot: at.getUTCHours(), date: at.toISOString().slice(0, 10) };
}

/** The hour that is now in a gym in UTC, and the two after it: what is done for all of them is done for now. */
const nowAndNext = () => [0, 1, 2].map(hourFromNow);

export async function bookNow(client: HttpClient): Promise<void> {
  for (const { slot, date } of nowAndNext()) await book(client, slot, { date });
}

export async function cancelNow(client: HttpClient): Promise<void> {
  for (const { slot, date } of nowAndNext()) await cancel(client, slot, { date });
}
