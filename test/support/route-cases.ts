import type { Role } from '../../src/common/actor/roles.js';
import { makeDevice } from './device.js';
import { PASSWORD, unique } from './factory.js';
import { book, bookNow, inDays } from './slots.js';
import { SocketClient } from './socket-client.js';
import type { GymWorld, World } from './world.js';

/** A call that is right for those who may make it. */
export interface Call {
  path: string;
  body?: unknown;
}

export interface RouteCase {
  /** Made again for every attempt, so that one attempt cannot spoil the next. `role` is who will try it. */
  call(world: World, role: Role): Call | Promise<Call>;
  /** What it answers where that is not the status in `success`: a role that may use the route, but not like this. */
  answers?: Partial<Record<Role, number>>;
  /** 200 by default, 201 for POST. */
  success?: number;
  /**
   * What a person of another gym gets: a status; or `nothing`: success, and not a trace of the gym in it; `unmarked`: the
   * same, where the gym itself would find no trace; or `everything`,
   * because it is the whole chain's.
   */
  otherGym: number | ((role: Role) => number) | 'nothing' | 'unmarked' | 'everything';
}

/** A person new in the gym that is acted on, for a call that changes them. */
const newMember = ({ t, own }: World) => t.make.person('user', own.gym.id);
const today = () => new Date().toISOString().slice(0, 10);

const newPerson = () => {
  const name = unique('new');
  return { email: `${name}@example.com`, full_name: name, document_id: name, phone_number: '+1 555 0199' };
};

/** By a manager of its own: the attempts push the sessions of the others out. */
const newDevice = async ({ t, own }: World) =>
  makeDevice((await t.make.signedIn('manager', own.gym.id)).client, 'fingerprint', own.mark);

/** An admin must say which gym. */
const ofGym = (path: string, { gym }: GymWorld, role: Role) => (role === 'admin' ? `${path}?gym_id=${gym.id}` : path);

/** The hours, of which the gym's member has the current one. */
const booked = (path: string): RouteCase => ({
  async call({ t, own }, role) {
    await bookNow((await t.make.signIn(own.people.user)).client);
    return { path: ofGym(path, own, role) };
  },
  otherGym: 'nothing',
});

/** Another person may know the trainers of all gyms, and no one else of another gym. */
const trainersAreKnown = (role: Role) => (role === 'trainer' ? 403 : 404);
const chooseProfile = async ({ t, own }: World, role: Role) => {
  const { client, id } = await t.make.signIn(own.people[role]);
  await client.post(`/accounts/${id}/profiles`, { profile_type: 'store' });
  return `/accounts/${id}/profiles`;
};

/** A course of a new trainer, or of the trainer who asks. */
const newCourse = async ({ t, own }: World, role?: Role) =>
  t.make.course(role === 'trainer' ? own.people.trainer : await t.make.person('trainer', own.gym.id));
const coursePath = async (world: World, role?: Role) => `/courses/${(await newCourse(world, role)).id}`;
/** Only their trainer, the manager of the gym, and an admin. */
const managedCourse = (end: string, body?: object): RouteCase => ({
  call: async (world, role) => ({ path: (await coursePath(world, role)) + end, body }),
  answers: { user: 403 },
  otherGym: 403,
});
const publishedCourse = (path: string): RouteCase => ({
  call: async ({ t, own }) => {
    const { trainer_profile_id } = await t.make.course(own.people.trainer);
    return { path, body: { title: unique('Course'), price: 49.9, trainer_profile_id } };
  },
  answers: { user: 403 },
  otherGym: 403,
});
const ofAllGyms = (path: string): RouteCase => ({ call: () => ({ path }), otherGym: 'everything' });
const oneOfAll = (end: string): RouteCase => ({
  call: async (world) => ({ path: (await coursePath(world)) + end }),
  otherGym: 'everything',
});

let hours = 0;
/** An hour that no one has. */
const freeHour = ({ own }: World) => {
  const hour = hours++ % (24 * 12);
  return { slot: hour % 24, body: { date: inDays(2 + Math.floor(hour / 24)), gym_id: own.gym.id } };
};

/** A connected board of the world's own gym, in the hour of its member. */
async function boardPath({ t, own }: World, what: string): Promise<string> {
  await bookNow((await t.make.signIn(own.people.user)).client);
  const { client } = await t.make.signIn(own.people.manager);
  const { device_number, device_key } = await makeDevice(client, 'board', own.mark);
  const board = await SocketClient.connect(t.url, '/devices', { device_key });
  board.socket.on('upload', (_, answer) => answer({ success: true, output: own.mark }));
  await board.ask('serial_output', { output: own.mark });
  return `/devices/${device_number}/${what}?gym_id=${own.gym.id}`;
}

/** A conversation of the one who tries with a member of their gym; the first of its messages is theirs. */
async function talk(world: World, role: Role) {
  const me = world.own.people[role];
  const member = await world.t.make.person('user', world.own.gym.id, { full_name: `member ${world.own.mark}` });
  const mine = { by: me, content: `mine ${world.own.mark}` };
  return world.t.make.conversation(me, member, mine, { by: member, content: `theirs ${world.own.mark}` });
}
const inTalk = (more = '', body?: unknown): RouteCase => ({
  call: async (world, role) => ({ path: `/chat/conversations/${(await talk(world, role)).id}${more}`, body }),
  otherGym: 404,
});
const ofMessage = (which: 0 | 1, more = '', body?: unknown): RouteCase => ({
  call: async (world, role) => ({
    path: `/chat/messages/${(await talk(world, role)).message_ids[which]}${more}`,
    body,
  }),
  otherGym: 404,
});

/** How to call every route. The matrix test fails for a route that is not here. */
export const routeCases: Record<string, RouteCase> = {
  'GET gyms': { call: () => ({ path: '/gyms' }), otherGym: 'everything' },
  'GET gyms/active': { call: () => ({ path: '/gyms/active' }), otherGym: 'everything' },
  'GET gyms/:gym_id': { call: ({ own }) => ({ path: `/gyms/${own.gym.id}` }), otherGym: 'everything' },
  'POST gyms': { call: () => ({ path: '/gyms', body: { name: unique('Gym') } }), otherGym: 'everything' },
  'PUT gyms/:gym_id': {
    call: ({ own }) => ({ path: `/gyms/${own.gym.id}`, body: { address: 'Somewhere' } }),
    otherGym: 'everything',
  },
  'DELETE gyms/:gym_id': {
    call: async ({ t }) => ({ path: `/gyms/${(await t.make.gym()).id}` }),
    success: 204,
    otherGym: 'everything',
  },

  'GET branches': { call: () => ({ path: '/branches' }), otherGym: 'nothing' },
  'GET staff': { call: () => ({ path: '/staff' }), otherGym: 'nothing' },

  'GET auth/me': { call: () => ({ path: '/auth/me' }), otherGym: 'nothing' },
  'GET auth/sessions': { call: () => ({ path: '/auth/sessions' }), otherGym: 'nothing' },
  'POST auth/logout': { call: () => ({ path: '/auth/logout' }), success: 205, otherGym: 'nothing' },
  'DELETE auth/sessions/:session_id': {
    call: async ({ t, own }, role) => {
      const { client } = await t.make.signIn(own.people[role]);
      const { body } = await client.get('/auth/sessions');
      return { path: `/auth/sessions/${body.find((session: { is_current: boolean }) => session.is_current).id}` };
    },
    success: 204,
    otherGym: 404,
  },
  'POST auth/change-password': {
    call: () => ({
      path: '/auth/change-password',
      body: { current_password: `not ${PASSWORD}`, new_password: 'another password' },
    }),
    success: 422,
    otherGym: 422,
  },

  'GET users': { call: () => ({ path: '/users' }), otherGym: 'nothing' },
  'GET users/trainers': { call: () => ({ path: '/users/trainers' }), otherGym: 'nothing' },
  'GET users/users': { call: () => ({ path: '/users/users' }), otherGym: 'nothing' },
  'GET users/search': { call: ({ own }) => ({ path: `/users/search?q=${own.mark}` }), otherGym: 'nothing' },
  'GET users/search/phone/:phone_number': {
    call: () => ({ path: '/users/search/phone/5550100' }),
    otherGym: 'nothing',
  },
  'GET users/search/document/:document_id': {
    call: ({ own }) => ({ path: `/users/search/document/${own.people.user.document_id}` }),
    otherGym: 404,
  },
  'GET users/:user_id': { call: ({ own }) => ({ path: `/users/${own.people.user.id}` }), otherGym: 404 },
  'POST users/admin-trainer': {
    call: ({ own }) => ({
      path: '/users/admin-trainer',
      body: { ...newPerson(), role: 'trainer', password: PASSWORD, gym_id: own.gym.id },
    }),
    otherGym: 403,
  },
  'POST users/regular': {
    call: ({ own }) => ({ path: '/users/regular', body: { ...newPerson(), role: 'user', gym_id: own.gym.id } }),
    otherGym: 403,
  },
  'PUT users/:user_id': {
    call: async ({ t, own }) => ({
      path: `/users/${(await t.make.person('user', own.gym.id)).id}`,
      body: { full_name: 'Changed' },
    }),
    answers: { accountant: 403, user: 404 },
    otherGym: 404,
  },
  'DELETE users/:user_id': {
    call: async ({ t, own }) => ({ path: `/users/${(await t.make.person('user', own.gym.id)).id}` }),
    success: 204,
    otherGym: 404,
  },

  'GET accounts': ofAllGyms('/accounts'),
  'GET accounts/:account_id': { call: ({ own }) => ({ path: `/accounts/${own.people.user.id}` }), otherGym: 404 },
  'PUT accounts/:account_id': {
    call: ({ own }, role) => ({ path: `/accounts/${own.people[role].id}`, body: { language: 'es' } }),
    otherGym: trainersAreKnown,
  },
  'PATCH accounts/:account_id': {
    call: ({ own }, role) => ({ path: `/accounts/${own.people[role].id}`, body: { language: 'ar' } }),
    otherGym: trainersAreKnown,
  },
  'DELETE accounts/:account_id': {
    call: async (world) => ({ path: `/accounts/${(await newMember(world)).id}` }),
    answers: { user: 403 },
    success: 204,
    otherGym: 404,
  },
  'GET accounts/:account_id/profiles': {
    call: ({ own }) => ({ path: `/accounts/${own.people.user.id}/profiles` }),
    otherGym: 404,
  },
  'POST accounts/:account_id/profiles': {
    call: ({ own }, role) => ({
      path: `/accounts/${own.people[role].id}/profiles`,
      body: { profile_type: 'gym' },
    }),
    otherGym: trainersAreKnown,
  },
  'DELETE accounts/:account_id/profiles/:profile_type': {
    call: async (world, role) => ({ path: `${await chooseProfile(world, role)}/store` }),
    success: 204,
    otherGym: trainersAreKnown,
  },

  'GET courses': ofAllGyms('/courses'),
  'GET courses/for-trainees': ofAllGyms('/courses/for-trainees'),
  'GET courses/mine': { call: () => ({ path: '/courses/mine' }), otherGym: 'unmarked' },
  'GET courses/:course_id': oneOfAll(''),
  'GET courses/:course_id/detail': oneOfAll('/detail'),
  'POST courses': publishedCourse('/courses'),
  'POST courses/create': publishedCourse('/courses/create'),
  'PUT courses/:course_id': managedCourse('', { price: 35 }),
  'PUT courses/:course_id/update': managedCourse('/update', { price: 36 }),
  'DELETE courses/:course_id': { ...managedCourse(''), success: 204 },
  'DELETE courses/:course_id/delete': { ...managedCourse('/delete'), success: 204 },
  'POST courses/:course_id/enrol': { ...oneOfAll('/enrol'), success: 200 },
  'DELETE courses/:course_id/enrol': { ...oneOfAll('/enrol'), success: 204 },

  'POST users/with-plan': {
    call: ({ own }) => ({
      path: '/users/with-plan',
      body: { ...newPerson(), role: 'user', gym_id: own.gym.id, plan_id: own.plan.id },
    }),
    otherGym: 403,
  },

  'POST members': {
    call: ({ own }) => ({
      path: '/members',
      body: { full_name: unique('new'), phone_number: '+1 555 0199', gym_id: own.gym.id },
    }),
    otherGym: 403,
  },
  'GET members/by-qr/:qr_code': {
    call: async ({ t, own }) => ({ path: `/members/by-qr/${await t.make.qrCode(own.people.user)}` }),
    otherGym: 404,
  },
  'GET members/:id/pass': {
    call: ({ own }) => ({ path: `/members/${own.people.user.id}/pass` }),
    otherGym: 404,
  },
  'GET members/:id/qr.svg': {
    call: ({ own }) => ({ path: `/members/${own.people.user.id}/qr.svg` }),
    otherGym: 404,
  },
  'POST members/:id/regenerate-qr': {
    call: ({ own }) => ({ path: `/members/${own.people.user.id}/regenerate-qr` }),
    success: 200,
    otherGym: 404,
  },
  'POST members/:id/reset-password': {
    call: async (world) => ({ path: `/members/${(await newMember(world)).id}/reset-password` }),
    success: 200,
    otherGym: 404,
  },

  'GET plans': { call: () => ({ path: '/plans' }), otherGym: 'nothing' },
  'GET plans/active': { call: () => ({ path: '/plans/active' }), otherGym: 'nothing' },
  'GET plans/:plan_id': { call: ({ own }) => ({ path: `/plans/${own.plan.id}` }), otherGym: 404 },
  'POST plans': {
    call: ({ own }) => ({
      path: '/plans',
      body: { name: unique('Plan'), price: 39.9, duration_days: 30, gym_id: own.gym.id },
    }),
    otherGym: 403,
  },
  'PUT plans/:plan_id': {
    call: async ({ t, own }) => ({ path: `/plans/${(await t.make.plan(own.gym.id)).id}`, body: { price: 35 } }),
    otherGym: 404,
  },
  'DELETE plans/:plan_id': {
    call: async ({ t, own }) => ({ path: `/plans/${(await t.make.plan(own.gym.id)).id}` }),
    success: 204,
    otherGym: 404,
  },

  'GET user-plans': { call: () => ({ path: '/user-plans' }), otherGym: 'nothing' },
  'GET user-plans/user/:user_id': {
    call: ({ own }) => ({ path: `/user-plans/user/${own.people.user.id}` }),
    otherGym: 404,
  },
  'GET user-plans/user/:user_id/active': {
    call: ({ own }) => ({ path: `/user-plans/user/${own.people.user.id}/active` }),
    otherGym: 404,
  },
  'GET user-plans/:id': {
    call: ({ own }) => ({ path: `/user-plans/${own.userPlan.id}` }),
    otherGym: 404,
  },
  'POST user-plans': {
    call: async (world) => ({
      path: '/user-plans',
      body: { user_id: (await newMember(world)).id, plan_id: world.own.plan.id },
    }),
    otherGym: 422,
  },
  'PUT user-plans/:id': {
    call: async (world) => {
      const { id } = await world.t.make.userPlan(await newMember(world), world.own.plan);
      const costlier = await world.t.make.plan(world.own.gym.id, { price: 60 });
      return { path: `/user-plans/${id}`, body: { plan_id: costlier.id } };
    },
    otherGym: 404,
  },
  'DELETE user-plans/:id': {
    call: async (world) => {
      const { id } = await world.t.make.userPlan(await newMember(world), world.own.plan);
      return { path: `/user-plans/${id}` };
    },
    success: 204,
    otherGym: 404,
  },
  'POST user-plans/:id/deduct': {
    call: async (world) => {
      const plan = await world.t.make.plan(world.own.gym.id, { session_count: 5 });
      return { path: `/user-plans/${(await world.t.make.userPlan(await newMember(world), plan)).id}/deduct` };
    },
    success: 200,
    otherGym: 404,
  },
  'POST user-plans/:id/freeze': {
    call: async (world) => {
      const { id } = await world.t.make.userPlan(await newMember(world), world.own.plan);
      return { path: `/user-plans/${id}/freeze`, body: { days: 14 } };
    },
    success: 200,
    otherGym: 404,
  },
  'POST user-plans/:id/unfreeze': {
    call: async (world) => {
      const { id } = await world.t.make.userPlan(await newMember(world), world.own.plan);
      return { path: `/user-plans/${id}/unfreeze` };
    },
    success: 200,
    otherGym: 404,
  },
  'POST user-plans/:id/cancel': {
    call: async (world) => {
      const { id } = await world.t.make.userPlan(await newMember(world), world.own.plan);
      return { path: `/user-plans/${id}/cancel`, body: { reason: 'Moves away' } };
    },
    success: 200,
    otherGym: 404,
  },

  'GET products': { call: () => ({ path: '/products' }), otherGym: 'nothing' },
  'GET products/active': { call: () => ({ path: '/products/active' }), otherGym: 'nothing' },
  'GET products/low-stock': { call: () => ({ path: '/products/low-stock' }), otherGym: 'nothing' },
  'GET products/:product_id': { call: ({ own }) => ({ path: `/products/${own.product.id}` }), otherGym: 404 },
  'GET products/:product_id/movements': {
    call: ({ own }) => ({ path: `/products/${own.product.id}/movements` }),
    otherGym: 404,
  },
  'POST products': {
    call: ({ own }) => ({
      path: '/products',
      body: { name: unique('Product'), price: 2.5, quantity: 10, gym_id: own.gym.id },
    }),
    otherGym: 403,
  },
  'PUT products/:product_id': {
    call: async ({ t, own }) => ({ path: `/products/${(await t.make.product(own.gym.id)).id}`, body: { price: 3 } }),
    otherGym: 404,
  },
  'PUT products/:product_id/stock': {
    call: async ({ t, own }) => ({
      path: `/products/${(await t.make.product(own.gym.id)).id}/stock`,
      body: { change: 5 },
    }),
    otherGym: 404,
  },
  'DELETE products/:product_id': {
    call: async ({ t, own }) => ({ path: `/products/${(await t.make.product(own.gym.id)).id}` }),
    otherGym: 404,
  },

  'GET sales': { call: () => ({ path: '/sales' }), otherGym: 'nothing' },
  'GET sales/daily': { call: () => ({ path: '/sales/daily' }), otherGym: 'nothing' },
  'GET sales/summary': { call: () => ({ path: '/sales/summary' }), otherGym: 'nothing' },
  'POST sales': {
    call: async ({ t, own }) => ({
      path: '/sales',
      body: { product_id: (await t.make.product(own.gym.id)).id, quantity: 1 },
    }),
    otherGym: 422,
  },
  'GET sales/:sale_id': {
    call: async ({ t, own }, role) => ({ path: `/sales/${(await t.make.sale(own.product, own.people[role])).id}` }),
    otherGym: 404,
  },
  'PUT sales/:sale_id': {
    call: async ({ t, own }, role) => ({
      path: `/sales/${(await t.make.sale(own.product, own.people[role])).id}`,
      body: { quantity: 2 },
    }),
    otherGym: 404,
  },
  'DELETE sales/:sale_id': {
    call: async ({ t, own }, role) => ({ path: `/sales/${(await t.make.sale(own.product, own.people[role])).id}` }),
    success: 204,
    otherGym: 404,
  },

  'GET measurements': { call: () => ({ path: '/measurements' }), otherGym: 'nothing' },
  'GET measurements/user/:user_id': {
    call: ({ own }) => ({ path: `/measurements/user/${own.people.user.id}` }),
    otherGym: 404,
  },
  'GET measurements/user/:user_id/latest': {
    call: ({ own }) => ({ path: `/measurements/user/${own.people.user.id}/latest` }),
    otherGym: 404,
  },
  'GET measurements/user/:user_id/progress': {
    call: ({ own }) => ({ path: `/measurements/user/${own.people.user.id}/progress` }),
    otherGym: 404,
  },
  'GET measurements/user/:user_id/progress.svg': {
    call: ({ own }) => ({ path: `/measurements/user/${own.people.user.id}/progress.svg` }),
    otherGym: 404,
  },
  'GET measurements/:id': {
    call: async ({ t, own }) => ({ path: `/measurements/${(await t.make.measurement(own.people.user)).id}` }),
    otherGym: 404,
  },
  'POST measurements': {
    call: ({ own }) => ({ path: '/measurements', body: { user_id: own.people.user.id, weight: 80.5 } }),
    otherGym: 422,
  },
  'PUT measurements/:id': {
    call: async ({ t, own }) => ({
      path: `/measurements/${(await t.make.measurement(own.people.user)).id}`,
      body: { weight: 81 },
    }),
    otherGym: 404,
  },
  'DELETE measurements/:id': {
    call: async ({ t, own }) => ({ path: `/measurements/${(await t.make.measurement(own.people.user)).id}` }),
    success: 204,
    otherGym: 404,
  },

  'GET attendance': { call: () => ({ path: '/attendance' }), otherGym: 'nothing' },
  'GET attendance/current': { call: () => ({ path: '/attendance/current' }), otherGym: 'nothing' },
  'GET attendance/daily/:date': { call: () => ({ path: `/attendance/daily/${today()}` }), otherGym: 'nothing' },
  'GET attendance/user/:user_id': {
    call: ({ own }) => ({ path: `/attendance/user/${own.people.user.id}` }),
    otherGym: 404,
  },
  'GET attendance/user/:user_id/summary': {
    call: ({ own }) => ({ path: `/attendance/user/${own.people.user.id}/summary` }),
    otherGym: 404,
  },
  'POST attendance': {
    call: async (world) => ({ path: '/attendance', body: { user_id: (await newMember(world)).id } }),
    otherGym: 422,
  },
  'POST attendance/:attendance_id/check-out': {
    call: async (world) => ({ path: `/attendance/${(await world.t.make.visit(await newMember(world))).id}/check-out` }),
    success: 200,
    otherGym: 404,
  },
  'PUT attendance/:attendance_id': {
    call: async (world) => ({
      path: `/attendance/${(await world.t.make.visit(await newMember(world))).id}`,
      body: { notes: 'Forgot the card' },
    }),
    otherGym: 404,
  },
  'DELETE attendance/:attendance_id': {
    call: async (world) => ({ path: `/attendance/${(await world.t.make.visit(await newMember(world))).id}` }),
    success: 204,
    otherGym: 404,
  },

  'GET devices': { call: () => ({ path: '/devices' }), otherGym: 'nothing' },
  'POST devices': {
    call: ({ own }) => ({
      path: '/devices',
      body: { name: unique('Reader'), kind: 'fingerprint', gym_id: own.gym.id },
    }),
    otherGym: 403,
  },
  'GET devices/:device_id': {
    call: async (world) => ({ path: `/devices/${(await newDevice(world)).id}` }),
    otherGym: 404,
  },
  'PUT devices/:device_id': {
    call: async (world) => ({ path: `/devices/${(await newDevice(world)).id}`, body: { name: 'Changed' } }),
    otherGym: 404,
  },
  'DELETE devices/:device_id': {
    call: async (world) => ({ path: `/devices/${(await newDevice(world)).id}` }),
    success: 204,
    otherGym: 404,
  },
  'POST devices/:device_id/rotate-key': {
    call: async (world) => ({ path: `/devices/${(await newDevice(world)).id}/rotate-key` }),
    success: 200,
    otherGym: 404,
  },
  'POST devices/access': {
    call: async ({ t, own }) => ({
      path: '/devices/access',
      body: { user_id: (await t.make.person('user', own.gym.id)).id, gym_id: own.gym.id },
    }),
    success: 200,
    otherGym: 403,
  },

  'GET dashboard': { call: () => ({ path: '/dashboard' }), otherGym: 'nothing' },
  'GET dashboard/series': {
    call: (_, role) => ({ path: `/dashboard/series?metric=${role === 'reception' ? 'visits' : 'revenue'}` }),
    otherGym: 'unmarked',
  },
  'GET dashboard/report.csv': { call: () => ({ path: '/dashboard/report.csv' }), otherGym: 'unmarked' },
  'GET dashboard/members.csv': { call: () => ({ path: '/dashboard/members.csv' }), otherGym: 'nothing' },

  'GET slots': booked('/slots'),
  'GET slots/current': booked('/slots/current'),
  'GET slots/mine': { call: () => ({ path: '/slots/mine' }), otherGym: 'unmarked' },
  'GET slots/settings': {
    call: ({ own }, role) => ({ path: ofGym('/slots/settings', own, role) }),
    otherGym: 'unmarked',
  },
  'PUT slots/settings': {
    call: ({ own }) => ({ path: '/slots/settings', body: { days_ahead: 14, gym_id: own.gym.id } }),
    otherGym: 403,
  },
  'POST slots/:slot_id/book': {
    call: (world) => {
      const { slot, body } = freeHour(world);
      return { path: `/slots/${slot}/book`, body };
    },
    otherGym: 403,
  },
  'POST slots/:slot_id/cancel': {
    call: async (world, role) => {
      const { slot, body } = freeHour(world);
      await book((await world.t.make.signIn(world.own.people[role])).client, slot, body);
      return { path: `/slots/${slot}/cancel`, body };
    },
    success: 200,
    otherGym: 403,
  },

  'GET chat/conversations': {
    call: async (world, role) => {
      await talk(world, role);
      return { path: '/chat/conversations' };
    },
    otherGym: 'nothing',
  },
  'POST chat/conversations/start': {
    call: async (world) => ({ path: '/chat/conversations/start', body: { user2: (await newMember(world)).id } }),
    otherGym: 404,
  },
  'GET chat/conversations/:conversation_id': inTalk(),
  'PUT chat/conversations/:conversation_id': inTalk('', { title: 'Knee' }),
  'DELETE chat/conversations/:conversation_id': { ...inTalk(), success: 204 },
  'GET chat/conversations/:conversation_id/messages': inTalk('/messages'),
  'POST chat/conversations/:conversation_id/send_message': inTalk('/send_message', { content: 'Hello' }),
  'PATCH chat/messages/:message_id': ofMessage(0, '', { content: 'Changed' }),
  'DELETE chat/messages/:message_id': { ...ofMessage(0), success: 204 },
  'POST chat/messages/:message_id/read': { ...ofMessage(1, '/read'), success: 200 },

  'POST devices/:device_number/upload': {
    call: async (world) => ({ path: await boardPath(world, 'upload'), body: { code: "print('hello')" } }),
    success: 200,
    otherGym: 403,
  },
  'GET devices/:device_number/serial-output': {
    call: async (world) => ({ path: await boardPath(world, 'serial-output') }),
    otherGym: 403,
  },
};
