import { unique } from '../../support/factory.js';
import { describeWalls } from '../../support/legacy-walls.js';
import type { World } from '../../support/world.js';

const newMember = ({ t, own }: World) => t.make.person('user', own.gym.id, { full_name: `member ${own.mark}` });
const ofMember = (end: string) => ({
  call: ({ own }: World) => ({ path: `/api/members/${own.people.user.id}/${end}` }),
  otherGym: 404,
});
const mine = (path: string) => ({ call: () => ({ path }), otherGym: 'nothing' as const });

describeWalls('av-checkins', {
  'GET api/auth/me': mine('/api/auth/me/'),
  'GET api/members': mine('/api/members/'),
  'GET api/members/search': {
    call: ({ own }) => ({ path: `/api/members/search/?q=${own.mark}` }),
    otherGym: 'nothing',
  },
  'GET api/members/:id': ofMember(''),
  'GET api/members/:id/checkins': ofMember('checkins/'),
  'POST api/members': {
    call: () => ({ path: '/api/members/', body: { full_name: unique('new'), phone: '+1 555 0199' } }),
    success: 201,
    otherGym: 'nothing',
  },
  'PUT api/members/:id': {
    call: async (world) => ({ path: `/api/members/${(await newMember(world)).id}/`, body: { phone: '+1 555 0177' } }),
    otherGym: 404,
  },
  'DELETE api/members/:id': {
    call: async (world) => ({ path: `/api/members/${(await newMember(world)).id}/` }),
    success: 204,
    otherGym: 404,
  },
  'GET api/checkins': mine('/api/checkins/'),
  'GET api/checkins/recent': mine('/api/checkins/recent/'),
  'GET api/checkins/history': {
    call: ({ own }) => ({ path: `/api/checkins/history/?q=${own.mark}` }),
    otherGym: 'nothing',
  },
  'GET api/checkins/stats': mine('/api/checkins/stats/'),
  'POST api/checkins': {
    call: async (world) => ({ path: '/api/checkins/', body: { member: String((await newMember(world)).id) } }),
    success: 201,
    otherGym: 404,
  },
  'POST api/checkins/:id/checkout': {
    call: async (world) => {
      const visit = await world.t.make.visit(await newMember(world));
      return { path: `/api/checkins/${visit.id}/checkout/`, body: {} };
    },
    otherGym: 404,
  },
  'GET api/admin/stats': mine('/api/admin/stats/'),
  'GET api/notifications/dashboard/expiring_memberships': mine('/api/notifications/dashboard/expiring_memberships/'),
});
