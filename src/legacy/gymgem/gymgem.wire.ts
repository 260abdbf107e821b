import type { AccountViewDto } from '../../accounts/dto/accounts.dto.js';
import type { Party } from '../../chat/conversations.service.js';
import type { ConversationDto } from '../../chat/dto/conversation.dto.js';
import type { ChatPersonDto, MessageDto } from '../../chat/dto/message.dto.js';
import type { NumberedPage } from '../../common/http/numbered.js';
import type { CourseDto } from '../../courses/dto/courses.dto.js';
import type { ServerEvents } from '../../realtime/event-map.js';
import { cutName } from '../wire/names.js';
import type {
  GymgemAccountDto,
  GymgemConversationDto,
  GymgemCourseDto,
  GymgemListedCourseDto,
  GymgemMessageDto,
  GymgemOneAccountDto,
  GymgemStartedDto,
  GymgemWebConversationDto,
  GymgemWebMessageDto,
} from './gymgem.dto.js';

// From our DTOs to what clients of gymgem read.

export function accountWire(account: AccountViewDto): GymgemAccountDto {
  const { first_name: firstName, last_name: lastName } = cutName(account.full_name ?? '');
  const { id, username, email, created_at: createdAt, updated_at: updatedAt } = account;
  return { id, username, email, firstName, lastName, createdAt, updatedAt };
}

export const oneAccountWire = (account: AccountViewDto): GymgemOneAccountDto => ({
  ...accountWire(account),
  profiles: account.profile_types.map((type) => ({ profile_type: type })),
});

/** The two of a conversation, by the ids of their accounts. */
export type Parties = ReadonlyMap<number, Party>;

/** One who signs in with an email alone is called by it. */
export const loginName = ({ username, email, full_name }: Party): string => username ?? email ?? full_name ?? '';
/** What people read. */
export const shownName = (party: Party): string => party.full_name ?? loginName(party);
/** The current profile, or minus the account of one who has none. */
export const personId = ({ id, profile }: Party): number => profile?.id ?? -id;

/** Who this is, as those know them who talk to them; of one who is not among them what is known. */
export const partyOf = (parties: Parties, person: { id: number; username: string | null; full_name: string | null }) =>
  parties.get(person.id) ?? { ...person, email: null, profile: null };

/** Which number a person has, in this version of the client. */
export type IdOf = (party: Party) => number;
export const accountId: IdOf = ({ id }) => id;

type Talk = Pick<ConversationDto, 'id' | 'participants' | 'created_at'>;

export const conversationWire = ({ id, participants, created_at }: Talk, parties: Parties, idOf: IdOf) =>
  ({
    id,
    participants: participants.map((person) => {
      const party = partyOf(parties, person);
      return { id: idOf(party), username: loginName(party) };
    }),
    created_at,
  }) satisfies GymgemConversationDto;

export const startedWire = ({ id, participants, created_at }: Talk, parties: Parties, idOf: IdOf) =>
  ({
    id,
    participants: participants.map((person) => idOf(partyOf(parties, person))),
    created_at,
  }) satisfies GymgemStartedDto;

const messageBody = ({ id, content, attachment, timestamp, is_read, read_at, is_deleted, edited_at }: MessageDto) => ({
  ...{ id, content: content ?? '', attachment: attachment?.url ?? null, timestamp },
  ...{ is_read, read_at, is_deleted, edited_at },
});

export const messageWire = (message: MessageDto, parties: Parties): GymgemMessageDto => ({
  ...messageBody(message),
  sender: loginName(partyOf(parties, message.sender)),
});

export function webMessageWire(message: MessageDto, parties: Parties): GymgemWebMessageDto {
  const sender = partyOf(parties, message.sender);
  return { ...messageBody(message), sender: personId(sender), sender_name: shownName(sender) };
}

/** @param other the one of the two who did not ask */
export function webConversationWire(
  conversation: ConversationDto,
  parties: Parties,
  other: Party,
): GymgemWebConversationDto {
  const { last_message: last, created_at, unread_count } = conversation;
  return {
    ...conversationWire(conversation, parties, personId),
    other_participant_id: personId(other),
    other_participant_name: shownName(other),
    other_participant_role: other.profile?.profile_type ?? null,
    other_participant_profile_picture: null,
    last_message: last && {
      content: last.content ?? '',
      attachment: last.attachment?.url ?? null,
      timestamp: last.timestamp,
    },
    last_message_timestamp: last?.timestamp ?? created_at,
    unread_count,
  };
}

/** The last page has no next one, and the first none before it. @param addressOf a page */
export function pageWire<Results>(
  { page, pages, total: count }: Pick<NumberedPage<unknown>, 'page' | 'pages' | 'total'>,
  addressOf: (page: number) => string,
  results: Results,
) {
  return {
    count,
    next: page < pages ? addressOf(page + 1) : null,
    previous: page > 1 ? addressOf(Math.min(page - 1, pages)) : null,
    results,
  };
}

export const courseWire = ({ id, title, description, trainer_profile_id, price }: CourseDto): GymgemCourseDto => ({
  ...{ id, title, description, trainer_profile: trainer_profile_id, price },
});

export const listedCourseWire = ({ id, title, trainer, price }: CourseDto): GymgemListedCourseDto => ({
  ...{ id, title, trainer: trainer.full_name, price },
});

type Events = ServerEvents['/chat'];
type Told = Exclude<keyof Events, 'error'>;
/** What is told of a conversation. */
export type News = Events[Told];
/** What each event of /chat is to a client, which knows who did it by their names. */
export type Frames = { readonly [Event in Told]: (news: Events[Event], party: Party) => object };

/** Who did it. */
export function doerOf(news: News): ChatPersonDto {
  if ('sender' in news) return news.sender;
  if ('read_by' in news) return news.read_by;
  if ('edited_by' in news) return news.edited_by;
  return 'deleted_by' in news ? news.deleted_by : news.user;
}

export const FRAMES: Frames = {
  chat_message: ({ message_id, content, timestamp }, sender) => ({
    ...{ type: 'chat_message', message_id, sender: loginName(sender), content: content ?? '', timestamp },
  }),
  read_receipt: ({ message_id, read_at }, reader) => ({
    ...{ type: 'read_receipt', message_id, read_by: loginName(reader), read_at, reader: loginName(reader) },
  }),
  typing_indicator: ({ is_typing }, user) => ({ type: 'typing_indicator', user: loginName(user), is_typing }),
  message_edited: ({ message_id, new_content, edited_at }, editor) => ({
    ...{ type: 'message_edited', message_id, new_content },
    ...{ edited_by: loginName(editor), edited_at, editor: loginName(editor) },
  }),
  message_deleted: ({ message_id, deleted_at }, deleter) => ({
    ...{ type: 'message_deleted', message_id },
    ...{ deleted_by: loginName(deleter), deleted_at, deleter: loginName(deleter) },
  }),
};

export const WEB_FRAMES: Frames = {
  ...FRAMES,
  chat_message: (news, sender) => ({
    ...FRAMES.chat_message(news, sender),
    ...{ sender_id: personId(sender), sender_name: shownName(sender), attachment: news.attachment?.url ?? null },
  }),
  typing_indicator: ({ is_typing }, user) => ({ type: 'typing', user: loginName(user), is_typing }),
  message_edited: ({ message_id, new_content: content, edited_at }, editor) => ({
    ...{ type: 'edit', message_id, content, edited_at, editor: loginName(editor) },
  }),
  message_deleted: ({ message_id }, deleter) => ({ type: 'delete', message_id, deleter: loginName(deleter) }),
};
