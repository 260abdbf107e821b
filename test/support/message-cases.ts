import type { DeviceKind } from '../../src/common/actor/actor.js';
import type { Role } from '../../src/common/actor/roles.js';
import { makeDevice, newTemplate } from './device.js';
import { bookNow, inDays } from './slots.js';
import { SocketClient } from './socket-client.js';
import type { World } from './world.js';

export interface MessageCase {
  /**
   * Made again for every attempt. It is about the world's own gym, no matter who sends it: `sender` is the role of who
   * tries, perhaps from another gym.
   */
  payload?(world: World, sender: Role | DeviceKind): unknown;
  /** What the sender has to do first. */
  before?(socket: SocketClient, world: World): Promise<unknown>;
  /** The code of the answer where that is not success: a person who may send it, but not like this. */
  answers?: Partial<Record<Role | DeviceKind, string>>;
  /** What a person of another gym gets: a code; or `nothing`: success, and not a trace of the gym in it. */
  otherGym: string;
}

const newMember = ({ t, own }: World) => t.make.person('user', own.gym.id, { full_name: `member ${own.mark}` });

const newVisit = async (world: World): Promise<number> => {
  const { id } = await newMember(world);
  return (await world.own.people.trainer.client.post('/attendance', { user_id: id })).body.id;
};

/** A reader of the world's own gym that no one talks with. */
async function freeReader({ t, own }: World): Promise<number> {
  const { id, device_key } = await makeDevice(own.people.manager.client, 'fingerprint', own.mark);
  const reader = await SocketClient.connect(t.url, '/devices', { device_key });
  // A socket that is answered has been let in.
  await reader.ask('finger1_captured');
  return id;
}

const chooseMember = async (socket: SocketClient, world: World) =>
  socket.ask('user', { user_id: (await newMember(world)).id });

/** A conversation of the gym's own person of that role, with a message of each. */
async function talk({ t, own }: World, sender: Role | DeviceKind) {
  const me = own.people[sender as Role];
  const [mine, theirs] = [`mine ${own.mark}`, `theirs ${own.mark}`];
  const member = await newMember({ t, own } as World);
  return t.make.conversation(me, member, { by: me, content: mine }, { by: member, content: theirs });
}

let hours = 0;
/** An hour that no one has, of days that no one else books. */
const freeHour = ({ own }: World) => {
  const hour = hours++;
  return { slot_id: hour % 24, date: inDays(3 + (Math.floor(hour / 24) % 10)), gym_id: own.gym.id };
};
let booked: ReturnType<typeof freeHour> | undefined;

/** What to send for every message. The matrix of messages fails for one that is not here. */
export const messageCases: Record<string, MessageCase> = {
  '/checkins check_in': {
    payload: async (world) => ({ member_id: (await newMember(world)).id, notes: world.own.mark }),
    otherGym: 'fields_invalid',
  },
  '/checkins check_out': {
    payload: async (world) => ({ check_in_id: await newVisit(world) }),
    otherGym: 'visit_not_found',
  },
  '/checkins batch': {
    payload: async (world) => ({
      batches: {
        check_in: [{ member_id: (await newMember(world)).id }],
        check_out: [{ check_in_id: await newVisit(world) }],
      },
    }),
    otherGym: 'nothing',
  },
  '/checkins heartbeat': { otherGym: 'nothing' },

  '/chat join': {
    payload: async (world, sender) => ({ conversation_id: (await talk(world, sender)).id }),
    otherGym: 'conversation_not_found',
  },
  '/chat message': {
    payload: async (world, sender) => ({ conversation_id: (await talk(world, sender)).id, content: world.own.mark }),
    otherGym: 'conversation_not_found',
  },
  '/chat read': {
    payload: async (world, sender) => ({ message_id: (await talk(world, sender)).message_ids[1] }),
    otherGym: 'message_not_found',
  },
  '/chat typing': {
    // With the gym's manager, whose socket hears of it.
    payload: async ({ t, own }, sender) => {
      const [me, other] = [own.people[sender as Role], own.people[sender === 'manager' ? 'trainer' : 'manager']];
      return { conversation_id: (await t.make.conversation(me, other)).id, is_typing: true };
    },
    otherGym: 'conversation_not_found',
  },
  '/chat edit': {
    payload: async (world, sender) => ({
      message_id: (await talk(world, sender)).message_ids[0],
      new_content: world.own.mark,
    }),
    otherGym: 'message_not_found',
  },
  '/chat delete': {
    payload: async (world, sender) => ({ message_id: (await talk(world, sender)).message_ids[0] }),
    otherGym: 'message_not_found',
  },

  '/devices fingerprint_connected': {
    before: (_, world) => freeReader(world),
    payload: ({ own }) => ({ gym_id: own.gym.id }),
    otherGym: 'other_gym',
  },
  '/devices user': {
    payload: async (world) => ({ user_id: (await newMember(world)).id, device_id: await freeReader(world) }),
    otherGym: 'user_not_found',
  },
  '/devices store_fingerprint': {
    before: chooseMember,
    payload: () => ({ fingerprint_data: newTemplate(), finger: 1 }),
    otherGym: 'no_member_chosen',
  },
  '/devices finger1_captured': { before: chooseMember, otherGym: 'nothing' },
  '/devices enrollment_completed': { before: chooseMember, otherGym: 'nothing' },
  '/devices user_found': {
    payload: async (world) => ({ user_id: (await newMember(world)).id }),
    otherGym: 'nothing',
  },
  '/devices user_not_found': { otherGym: 'nothing' },
  '/devices download_templates': { otherGym: 'nothing' },
  '/devices serial_output': { payload: ({ own }) => ({ output: own.mark }), otherGym: 'nothing' },
  '/devices read_serial': {
    before: (_, { own }) => bookNow(own.people.user.client),
    payload: async ({ own }) => {
      const { device_number } = await makeDevice(own.people.manager.client, 'board', own.mark);
      return { device_number, gym_id: own.gym.id };
    },
    otherGym: 'other_gym',
  },

  '/slots get_slots': {
    payload: ({ own }) => ({ gym_id: own.gym.id, date: inDays(3) }),
    otherGym: 'other_gym',
  },
  '/slots book_slot': { payload: freeHour, otherGym: 'other_gym' },
  '/slots cancel_slot': {
    before: (socket, world) => socket.ask('book_slot', (booked = freeHour(world))),
    payload: (world) => booked ?? freeHour(world),
    otherGym: 'other_gym',
  },
};
