import { PASSWORD, unique } from '../../support/factory.js';
import { describeWalls, SHARED_SIGN_IN } from '../../support/legacy-walls.js';
import type { RouteCase } from '../../support/route-cases.js';
import type { World } from '../../support/world.js';

const newMember = ({ t, own }: World) => t.make.person('user', own.gym.id, { full_name: `New ${own.mark}` });
const customer = (end: string, otherGym: RouteCase['otherGym'] = 404): RouteCase => ({
  call: async (world) => ({ path: `/api/customers/${(await newMember(world)).id}${end}` }),
  otherGym,
});
const read = (path: string, otherGym: RouteCase['otherGym'] = 'nothing'): RouteCase => ({
  call: () => ({ path: `/api/${path}` }),
  otherGym,
});
const ofBranch = (path: string): RouteCase => ({
  call: ({ own }) => ({ path: `/api/${path}?branch_id=${own.gym.id}` }),
  otherGym: 403,
});
const sessionsOf = async (world: World) => {
  const plan = await world.t.make.plan(world.own.gym.id, { session_count: 3 });
  return world.t.make.userPlan(await newMember(world), plan);
};
const deduct = (end: string): RouteCase => ({
  call: async (world) => ({ path: `/api/subscriptions/${(await sessionsOf(world)).id}/${end}`, body: {} }),
  otherGym: 404,
});
const ofSubscription = (end: string, body: object = {}): RouteCase => ({
  call: async (world) => {
    const { id } = await world.t.make.userPlan(await newMember(world), world.own.plan);
    return { path: `/api/subscriptions/${end}`, body: { subscription_id: id, ...body } };
  },
  otherGym: 404,
});
const own = (path: string, body?: object): RouteCase => ({
  call: () => ({ path: `/api/client/${path}`, body }),
  otherGym: 'nothing',
});

describeWalls('flutter-app', {
  ...SHARED_SIGN_IN,
  'GET api/customers': read('customers'),
  'GET api/customers/:id': customer(''),
  'POST api/customers/:id/regenerate-qr': customer('/regenerate-qr'),
  'GET api/subscriptions': read('subscriptions'),
  'POST api/subscriptions/:id/deduct': deduct('deduct'),
  'POST api/subscriptions/:id/deduct-session': deduct('deduct-session'),
  'POST api/subscriptions/:id/use-coins': deduct('use-coins'),
  'POST api/attendance': {
    call: async (world) => ({ path: '/api/attendance', body: { customer_id: (await newMember(world)).id } }),
    otherGym: 404,
  },
  'GET api/branches': read('branches'),
  'GET api/reports/branch-comparison': read('reports/branch-comparison'),
  'GET api/staff': read('staff'),
  'GET api/users': read('users?role=trainer'),
  'GET api/users/employees': read('users/employees?role=trainer'),
  'GET api/users/staff': read('users/staff?role=trainer'),
  'GET api/dashboards/overview': ofBranch('dashboards/overview'),

  'GET api/services': read('services'),
  'GET api/customers/search': {
    call: ({ own: { mark } }) => ({ path: `/api/customers/search?q=${mark}` }),
    otherGym: 'nothing',
  },
  'POST api/customers/register': {
    call: ({ own: { gym } }) => ({
      path: '/api/customers/register',
      body: { full_name: unique('New'), phone: '010 7782 7638', branch_id: gym.id },
    }),
    success: 201,
    otherGym: 403,
  },
  'POST api/customers/:id/reset-password': customer('/reset-password'),
  'POST api/subscriptions/activate': {
    call: async (world) => ({
      path: '/api/subscriptions/activate',
      body: { customer_id: (await newMember(world)).id, service_id: world.own.plan.id },
    }),
    success: 201,
    otherGym: 404,
  },
  'POST api/subscriptions/renew': ofSubscription('renew'),
  'POST api/subscriptions/freeze': ofSubscription('freeze', { freeze_days: 7 }),
  'POST api/subscriptions/stop': ofSubscription('stop'),
  'PATCH api/auth/language': {
    call: () => ({ path: '/api/auth/language', body: { preferred_language: 'en' } }),
    otherGym: 'unmarked',
  },
  'GET api/branches/:id/performance': {
    call: ({ own: { gym } }) => ({ path: `/api/branches/${gym.id}/performance` }),
    otherGym: 403,
  },
  'GET api/reports/revenue': ofBranch('reports/revenue'),
  'GET api/dashboards/owner': ofBranch('dashboards/owner'),
  'GET api/dashboards/branch-manager': ofBranch('dashboards/branch-manager'),
  'GET api/dashboards/accountant': ofBranch('dashboards/accountant'),

  'POST api/client/auth/logout': own('auth/logout'),
  'GET api/client/me': own('me'),
  'GET api/client/subscription': own('subscription'),
  'GET api/client/entry-history': own('entry-history'),
  'POST api/client/qr/refresh': own('qr/refresh'),
  'POST api/client/refresh-qr': own('refresh-qr'),
  // Refused, or the next attempts could not sign in.
  'POST api/client/change-password': {
    call: () => ({
      path: '/api/client/change-password',
      body: { current_password: `no ${PASSWORD}`, new_password: 'new password' },
    }),
    success: 400,
    otherGym: 400,
  },
});
