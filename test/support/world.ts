import { ROLES, type Role, STAFF } from '../../src/common/actor/roles.js';
import type { TestApp } from './app.js';
import { type PlanRow, type ProductRow, type SignedIn, unique } from './factory.js';

/** A gym with a person of every role in it. Everything in it carries its mark, so that a leak can be seen. */
export interface GymWorld {
  mark: string;
  gym: { id: number; name: string };
  people: Record<Role, SignedIn>;
  plan: PlanRow;
  /** The member's. */
  userPlan: { id: number };
  /** What the staff sold, a piece each. */
  product: ProductRow;
}

export interface World {
  t: TestApp;
  /** The gym that is acted on. */
  own: GymWorld;
  /** Another one, whose staff must get nothing of the first. */
  other: GymWorld;
}

export async function makeWorld(t: TestApp): Promise<World> {
  return { t, own: await makeGymWorld(t), other: await makeGymWorld(t) };
}

async function makeGymWorld(t: TestApp): Promise<GymWorld> {
  const mark = unique('mark');
  const gym = await t.make.gym({ name: `Gym ${mark}` });
  const people = {} as Record<Role, SignedIn>;
  for (const role of ROLES) {
    people[role] = await t.make.signedIn(role, gym.id, { full_name: `${role} ${mark}`, phone_number: '+1 555 0100' });
  }
  const plan = await t.make.plan(gym.id, { name: `Plan ${mark}` });
  const product = await t.make.product(gym.id, { name: `Product ${mark}` });
  const userPlan = await t.make.userPlan(people.user, plan);
  for (const role of STAFF) await t.make.sale(product, people[role]);
  await t.make.visit(people.user);
  await t.make.measurement(people.user, { notes: mark });
  return { mark, gym, people, plan, userPlan, product };
}
