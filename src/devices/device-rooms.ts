import { Logger } from '@nestjs/common';
import type { Namespace } from 'socket.io';
import type { DeviceActor, DeviceKind } from '../common/actor/actor.js';
import { warnOf } from '../common/outage.js';
import { socketsIn } from '../common/ws/gateway.js';
import type { ToldDto } from './dto/device-messages.dto.js';
import type { Enrolment } from './enrolments.service.js';

export const READER: readonly DeviceKind[] = ['fingerprint'];
export const ENTRANCE: readonly DeviceKind[] = ['fingerprint', 'qr'];

/** The room of the readers of a gym. */
export const readersRoom = (gymId: number): string => `readers:${gymId}`;
/** The room of the consoles of a gym; null: of those of an admin, who sees all gyms. */
export const consolesRoom = (gymId: number | null): string => `consoles:${gymId ?? 'all'}`;

/**
 * To the console that enrols on this reader; if none does, to all consoles of the gym.
 * @returns the rooms that were told
 */
export function tellConsoles(
  namespace: Namespace,
  enrolment: Enrolment | undefined,
  { gym_id }: DeviceActor,
  event: string,
  payload: object,
): string[] {
  const console = enrolment?.console_socket;
  const rooms = console ? [console] : [consolesRoom(gym_id), consolesRoom(null)];
  namespace.to(rooms).emit(event, payload);
  return rooms;
}

/** What a reader is told of those who were told. */
export const toldIn = async (namespace: Namespace, rooms: string[]): Promise<ToldDto> => ({
  consoles: (await socketsIn(namespace, rooms)).length,
});

/** What a console misses because the database is away must not end the server; the reader asks again. */
export const logNotTold = (error: unknown): void =>
  warnOf(new Logger('Devices'), 'Consoles and readers were not told', error);
