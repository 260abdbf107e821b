import type { Role } from '../../../src/common/actor/roles.js';
import { everyGym } from '../../../src/database/sql.js';
import { unique } from '../../support/factory.js';
import { describeWalls, type LegacyCases, SHARED_SIGN_IN } from '../../support/legacy-walls.js';
import type { RouteCase } from '../../support/route-cases.js';
import type { World } from '../../support/world.js';

/** A conversation of the one who tries with a member of their gym. */
async function talk({ t, own }: World, role: Role): Promise<number> {
  const member = await t.make.person('user', own.gym.id, { full_name: `member ${own.mark}` });
  const mine = { by: own.people[role], content: `mine ${own.mark}` };
  return (await t.make.conversation(own.people[role], member, mine)).id;
}
const inTalk = (base: string, more: string, body?: unknown, success?: number): RouteCase => ({
  call: async (world, role) => ({ path: `${base}/${await talk(world, role)}${more}`, body }),
  ...{ success, otherGym: 403 },
});

const newMember = ({ t, own }: World) => t.make.person('user', own.gym.id, { full_name: `new ${own.mark}` });
const ownCourse = ({ t, own }: World, role: Role) => t.make.course(own.people[role]);
const inCourse = (base: string, more: string, success = 200, body?: unknown): RouteCase => ({
  call: async (world, role) => ({ path: `${base}/${(await ownCourse(world, role)).id}${more}`, body }),
  ...{ success, otherGym: 403 },
});

async function ownProfile({ t, own }: World, role: Role): Promise<number> {
  const [profile] = await t.db.change<{ id: number }>(everyGym`
    INSERT INTO profiles (account_id, profile_type) VALUES (${own.people[role].id}, 'store')
    ON CONFLICT (account_id, profile_type) DO UPDATE SET profile_type = 'store' RETURNING id`);
  return profile!.id;
}
const switching = (path: string): RouteCase => ({
  call: async (world, role) => ({ path, body: { profile_id: await ownProfile(world, role) } }),
  otherGym: 403,
});

function atBoth(base: string): LegacyCases {
  const [courses, accounts, talks] = [`${base}/courses`, `${base}/accounts`, `${base}/chat/conversations`];
  const change: RouteCase = {
    // One with a course is known in all gyms.
    call: async (world, role) => {
      await ownCourse(world, role);
      return { path: `/${accounts}/${world.own.people[role].id}/`, body: { firstName: 'New' } };
    },
    otherGym: 403,
  };
  return {
    // The trainers of all gyms are known, and named.
    [`GET ${accounts}`]: { call: () => ({ path: `/${accounts}/` }), otherGym: 'everything' },
    [`GET ${accounts}/:id`]: {
      call: async (world) => ({ path: `/${accounts}/${(await newMember(world)).id}/` }),
      otherGym: 404,
    },
    [`PUT ${accounts}/:id`]: change,
    [`PATCH ${accounts}/:id`]: change,
    [`DELETE ${accounts}/:id`]: {
      call: async (world) => ({ path: `/${accounts}/${(await newMember(world)).id}/` }),
      ...{ answers: { admin: 403, user: 403 }, otherGym: 404 },
    },
    [`GET ${talks}`]: {
      call: async (world, role) => {
        await talk(world, role);
        return { path: `/${talks}/` };
      },
      otherGym: 'nothing',
    },
    [`GET ${talks}/:id`]: inTalk(`/${talks}`, '/'),
    [`PUT ${talks}/:id`]: inTalk(`/${talks}`, '/', { title: 'Knee' }),
    [`DELETE ${talks}/:id`]: inTalk(`/${talks}`, '/', undefined, 204),
    [`GET ${talks}/:id/messages`]: inTalk(`/${talks}`, '/messages/'),
    [`POST ${talks}/:id/send_message`]: inTalk(`/${talks}`, '/send_message/', { content: 'Hello' }, 201),
    [`POST ${courses}/create`]: {
      call: async (world, role) => {
        const { trainer_profile_id: profileId } = await ownCourse(world, role);
        return {
          path: `/${courses}/create/`,
          body: { title: unique('Course'), price: 30, trainer_profile: profileId },
        };
      },
      ...{ success: 201, otherGym: 403 },
    },
    [`GET ${courses}/for-trainees`]: { call: () => ({ path: `/${courses}/for-trainees/` }), otherGym: 'everything' },
    [`GET ${courses}/:id/detail`]: { ...inCourse(`/${courses}`, '/detail/'), otherGym: 'everything' },
    [`PUT ${courses}/:id/update`]: inCourse(`/${courses}`, '/update/', 200, { price: 35 }),
    [`DELETE ${courses}/:id/delete`]: inCourse(`/${courses}`, '/delete/', 204),
  };
}

const start = (base: string, personOf: (id: number) => number): LegacyCases => ({
  [`POST ${base}/chat/conversations/start`]: {
    call: async (world) => ({
      path: `/${base}/chat/conversations/start/`,
      body: { user2: personOf((await newMember(world)).id) },
    }),
    ...{ success: 201, otherGym: 404 },
  },
});

const web = 'gymgem-web/api';

describeWalls('gymgem', {
  ...SHARED_SIGN_IN,
  [`POST ${web}/auth/logout`]: {
    call: () => ({ path: `/${web}/auth/logout`, body: {} }),
    ...{ success: 205, otherGym: 'nothing' },
  },
  ...atBoth('api'),
  ...start('api', (id) => id),
  ...atBoth(web),
  ...start(web, (id) => -id),
  [`POST ${web}/profiles/create`]: {
    call: () => ({ path: `/${web}/profiles/create`, body: { profile_type: 'trainee' } }),
    ...{ success: 201, otherGym: 'nothing' },
  },
  [`POST ${web}/auth/switch-profile`]: switching(`/${web}/auth/switch-profile`),
  [`POST ${web}/auth/renew-refresh`]: switching(`/${web}/auth/renew-refresh`),
  [`POST ${web}/auth/logout-all`]: {
    call: () => ({ path: `/${web}/auth/logout-all` }),
    ...{ success: 205, otherGym: 'nothing' },
  },
});
