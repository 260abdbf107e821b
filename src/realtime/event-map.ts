import type { Type } from '@nestjs/common';
import { CheckInRemovedDto, CheckInStatsDto } from '../attendance/dto/checkin-messages.dto.js';
import { VisitDto } from '../attendance/dto/visit.dto.js';
import {
  ChatMessageDto,
  MessageDeletedDto,
  MessageEditedDto,
  ReadReceiptDto,
  TypingIndicatorDto,
} from '../chat/dto/chat-messages.dto.js';
import { RefusalDto } from '../common/ws/messages.dto.js';
import { SerialLineDto } from '../devices/dto/device.dto.js';
import {
  AccessAlarmDto,
  BoardAnswerDto,
  BoardUploadDto,
  EnrolmentStepDto,
  UserEstablishedDto,
  UserRefDto,
  UserSeenDto,
} from '../devices/dto/device-messages.dto.js';
import { MembershipChangedDto } from '../plans/dto/user-plan.dto.js';
import { SlotChangedDto, SlotsUpdateDto } from '../slots/dto/slot-messages.dto.js';

export interface ServerEvent {
  summary: string;
  payload: Type;
  /** What the client acknowledges it with. */
  acknowledged?: Type;
}
type EventsOf<Map> = {
  [Namespace in keyof Map]: {
    [Event in keyof Map[Namespace]]: Map[Namespace][Event] extends { payload: Type<infer Payload> } ? Payload : never;
  };
};

const error: ServerEvent = { summary: 'A message was refused, or the connection will be closed', payload: RefusalDto };

/** What the server sends by itself; answers to messages stand with the messages. */
export const SERVER_EVENTS = {
  '/checkins': {
    initial_stats: { summary: 'The numbers, on connect; for an admin of all gyms together', payload: CheckInStatsDto },
    check_in_stats: {
      summary:
        'The numbers of this gym have changed: at once, and then at most once a second. An admin gets them of each gym, ' +
        'and of all gyms together only on connect',
      payload: CheckInStatsDto,
    },
    member_checked_in: { summary: 'A member came in', payload: VisitDto },
    member_checked_out: { summary: 'A member left, or was checked out overnight', payload: VisitDto },
    membership_changed: {
      summary: "A member's plans were changed, not by a check-in: this is what counts now",
      payload: MembershipChangedDto,
    },
    check_in_removed: { summary: 'A visit was deleted', payload: CheckInRemovedDto },
    error,
  },
  '/devices': {
    user: { summary: 'To a reader: a console wants to enrol this member', payload: UserRefDto },
    user_established: { summary: 'To the console: the reader waits for the finger', payload: UserEstablishedDto },
    finger1_captured: { summary: 'To the console', payload: EnrolmentStepDto },
    enrollment_completed: { summary: 'To the console', payload: EnrolmentStepDto },
    user_found: { summary: 'To the consoles: a person is at the door', payload: UserSeenDto },
    user_not_found: { summary: 'To the consoles: an unknown person is at the door', payload: UserSeenDto },
    access_alarm: {
      summary: 'To the consoles: a door shows one unknown code after the other; at most once a minute for a device',
      payload: AccessAlarmDto,
    },
    upload: {
      summary: 'To a lab board: run this, and acknowledge what came of it',
      payload: BoardUploadDto,
      acknowledged: BoardAnswerDto,
    },
    serial_output: { summary: 'To the readers of a board: it has said something', payload: SerialLineDto },
    error,
  },
  '/chat': {
    chat_message: { summary: 'A message; each once, in the order of their ids', payload: ChatMessageDto },
    read_receipt: { summary: 'One of the two has read up to this message', payload: ReadReceiptDto },
    typing_indicator: {
      summary: 'The other is typing, or not any more; the end may be lost with a connection: forget it after 10 s',
      payload: TypingIndicatorDto,
    },
    message_edited: { summary: 'A message says something else now', payload: MessageEditedDto },
    message_deleted: { summary: 'A message was deleted', payload: MessageDeletedDto },
    error,
  },
  '/slots': {
    slots_update: {
      summary: 'The day one watches: on connect, and within a second of what has changed in it, for all changes since',
      payload: SlotsUpdateDto,
    },
    slot_changed: { summary: 'One hour of it has changed; at once', payload: SlotChangedDto },
    error,
  },
} as const satisfies Record<string, Record<string, ServerEvent>>;

/** The payload of every event, by namespace and name. */
export type ServerEvents = EventsOf<typeof SERVER_EVENTS>;
