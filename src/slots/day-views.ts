import type { Namespace } from 'socket.io';
import type { AppSocket } from '../common/ws/gateway.js';
import type { SlotChangedDto, SlotsOfDayDto, SlotsUpdateDto } from './dto/slot-messages.dto.js';
import { availableTo, type Day, isStaff, seenBy, type Slot, type Viewer } from './slots.rules.js';

/** All staff see the same of a day, and so do all members who have nothing of what is shown. */
const STAFF: Viewer = { user_id: null, role: 'admin' };
const OTHERS: Viewer = { user_id: null, role: 'user' };

/** The ids of sockets of this server. */
type SocketIds = Iterable<string>;

/** A day as this viewer may see it. */
export function update(viewer: Viewer, day: Day): SlotsUpdateDto {
  const { gym_id, date, slots } = day;
  const seen = slots.map((slot) => seenBy(viewer, slot));
  const booked = seen.filter(({ is_booked }) => is_booked).map(({ id }) => id);
  const available = availableTo(viewer, day);
  const data: SlotsOfDayDto = {
    ...{ gym_id, date, slots: seen },
    ...{ available_slots: available, available_count: available.length },
    ...{ booked_slots: booked, booked_count: booked.length },
  };
  return { data, timestamp: new Date().toISOString() };
}

/** Shows these sockets the whole day. */
export function showDay(namespace: Namespace, sockets: SocketIds, day: Day): void {
  show(namespace, sockets, day.slots, 'slots_update', (viewer) => update(viewer, day));
}

/** Shows them an hour of it that has changed. */
export function showHour(namespace: Namespace, sockets: SocketIds, { gym_id, date }: Day, slot: Slot): void {
  const timestamp = new Date().toISOString();
  show(namespace, sockets, [slot], 'slot_changed', (viewer): SlotChangedDto => {
    return { gym_id, date, slot: seenBy(viewer, slot), timestamp };
  });
}

/**
 * What is shown is encoded once for staff, once for the members who have none of the hours, and for each member who has
 * one: their own.
 */
function show(
  namespace: Namespace,
  socketIds: SocketIds,
  hours: Slot[],
  event: string,
  view: (viewer: Viewer) => object,
): void {
  const holders = new Set(hours.flatMap(({ bookings }) => bookings.map(({ user }) => user.id)));
  const audiences = new Map<Viewer | number, string[]>();
  for (const id of socketIds) {
    const viewer = (namespace.sockets.get(id) as AppSocket | undefined)?.data.principal;
    if (!viewer) continue;
    const holder = viewer.user_id !== null && holders.has(viewer.user_id) ? viewer.user_id : OTHERS;
    const audience = isStaff(viewer) ? STAFF : holder;
    const known = audiences.get(audience);
    if (known) known.push(id);
    else audiences.set(audience, [id]);
  }
  for (const [audience, ids] of audiences) {
    const viewer = typeof audience === 'number' ? { user_id: audience, role: 'user' } : audience;
    namespace.local.to(ids).emit(event, view(viewer));
  }
}
