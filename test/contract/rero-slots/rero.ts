import { startApp, type TestApp } from '../../support/app.js';
import { ownDatabase } from '../../support/database.js';
import type { SignedIn } from '../../support/factory.js';
import { plain } from '../../support/plain-http.js';
import { makeSlotGym } from '../../support/slots.js';

/** A zone in which it is between two and three in the morning: nearly the whole day can be booked. */
export function earlyZone(): string {
  const ahead = ((2 - new Date().getUTCHours() + 36) % 24) - 12;
  // The signs of these names are the other way round.
  return `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

export interface Rero {
  t: TestApp;
  second: TestApp;
  gymId: number;
  manager: SignedIn;
  member: SignedIn;
  close(): Promise<void>;
}

/** Two servers, and the gym that they show. */
export async function startRero(database: string, settings: Record<string, string> = {}): Promise<Rero> {
  const DATABASE_URL = await ownDatabase(database);
  const first = await startApp({ DATABASE_URL, LEGACY_CLIENTS: 'none' });
  const { gym, manager, member } = await makeSlotGym(first.make, {}, earlyZone());
  await first.close();
  const all = { DATABASE_URL, RERO_GYM_ID: String(gym.id), CORS_ORIGINS: ORIGIN, ...settings };
  const [t, second] = [await startApp(all), await startApp(all)];
  const at = (who: SignedIn): SignedIn => ({ ...who, client: t.anonymous.withToken(who.access_token) });
  return {
    ...{ t, second, gymId: gym.id, manager: at(manager), member: at(member) },
    async close() {
      await Promise.all([t.close(), second.close()]);
    },
  };
}

export const ORIGIN = 'https://rero.example';

/** A person as they register here, and the token of their sign-in. */
export async function register(url: string, email: string, password = 'secret1') {
  const who = { email, password };
  const { status } = await plain('POST', `${url}/auth/register`, { body: who });
  if (status !== 201) throw new Error(`/auth/register answered ${status}`);
  const { body } = await plain('POST', `${url}/auth/login`, { body: who });
  return { ...who, id: body.user.id as number, token: body.token as string };
}
