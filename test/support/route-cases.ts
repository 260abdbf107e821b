import type { Role } from '../../src/common/actor/roles.js';
import { PASSWORD, unique } from './factory.js';
import type { World } from './world.js';

/** A call that is right for whoever may make it. */
export interface Call {
  path: string;
  body?: unknown;
}

export interface RouteCase {
  /** Made anew for every attempt, so that one attempt cannot spoil the next. `role` is who will try it. */
  call(world: World, role: Role): Call | Promise<Call>;
  /** What it answers where that is not the status in `success`: a role that may use the route, but not like this. */
  answers?: Partial<Record<Role, number>>;
  /** 200 by default, 201 for POST. */
  success?: number;
  /**
   * What somebody of another gym gets: a status; or `nothing`: success, and not a trace of the gym in it; or `everything`,
   * because it is the whole chain's.
   */
  otherGym: number | 'nothing' | 'everything';
}

const newPerson = () => {
  const name = unique('new');
  return { email: `${name}@example.com`, full_name: name, document_id: name, phone_number: '+1 555 0199' };
};

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
};
