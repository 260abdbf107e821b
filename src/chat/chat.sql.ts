import type { Actor } from '../common/actor/actor.js';
import { MAX_ID } from '../common/http/whole.js';
import { computed, optional, part, pick, present, row, table } from '../database/columns.js';
import { type Columns, empty, everyGym, raw, type Sql, sql } from '../database/sql.js';
import type { Profile } from '../people/entities/profile.entity.js';
import type { User } from '../people/entities/user.entity.js';
import { isNamedTo } from '../people/people.sql.js';
import type { Attachment } from './entities/attachment.entity.js';
import type { ChatMessage } from './entities/chat-message.entity.js';
import type { Conversation } from './entities/conversation.entity.js';
import type { Participant } from './entities/participant.entity.js';

// A conversation may be of two gyms: what a person may see of it follows from taking part in it (`p`), and from no gym.

const p = table<Participant>('p');
const m = table<ChatMessage>('m');
const a = table<Attachment>('a');

/**
 * The messages of a conversation with ids between these two. Both columns are compared as one, and sorted as one by
 * IN_ORDER: so there is one index to take. Asked for a conversation and an order by id, PostgreSQL may walk through the
 * messages of all conversations instead.
 */
export const between = (conversationId: Sql, afterId: Sql, beforeId: Sql): Sql =>
  sql`(conversation_id, id) > (${conversationId}, ${afterId})
    AND (conversation_id, id) < (${conversationId}, ${beforeId})`;
export const IN_ORDER = sql`conversation_id, id`;
export const NEWEST_FIRST = sql`conversation_id DESC, id DESC`;
export const NO_END = raw(String(MAX_ID));

/** The last message of a conversation behind this one. @param only AND a condition */
export const lastMessage = (conversationId: Sql, afterId: Sql, only = empty): Sql =>
  sql`SELECT * FROM messages WHERE ${between(conversationId, afterId, NO_END)} ${only}
    ORDER BY ${NEWEST_FIRST} LIMIT 1`;

/** A person as the other of the conversation knows them. */
const names = (alias: string, other: string) => ({
  ...pick(table<User>(alias), 'id', 'username'),
  full_name: computed<string | null>(
    sql`CASE WHEN ${isNamedTo(alias, raw(`(${other}.role = 'user')`))} THEN ${raw(alias)}.full_name END`,
  ),
});
const chatPerson = (alias: string, other: string) => part(names(alias, other));
/** Of a person `u` who takes part as `p`. */
export const PERSON_COLUMNS = row(names('u', 'o'));
export const PERSON = raw('participants p JOIN users u ON u.id = p.user_id JOIN users o ON o.id = p.other_id');

/** A message `m` with what is SHOWN with it; its attachment still without a link. */
const MESSAGE = {
  ...pick(m, 'id', 'conversation_id'),
  sender: chatPerson('s', 'addressee'),
  content: computed<string | null>(sql`CASE WHEN m.deleted_at IS NULL THEN m.content END`),
  attachment: optional(
    part({ id: a.id, name: present(a.name), content_type: present(a.content_type), size: present(a.size) }),
  ),
  timestamp: m.timestamp,
  is_read: computed<boolean>(sql`m.read_at IS NOT NULL`),
  read_at: m.read_at,
  is_deleted: computed<boolean>(sql`m.deleted_at IS NOT NULL`),
  edited_at: m.edited_at,
};
type RowOf<Of> = Of extends Columns<infer Row> ? Row : never;

export const MESSAGE_COLUMNS = row(MESSAGE);
export type MessageRow = RowOf<typeof MESSAGE_COLUMNS>;
export const SHOWN = sql`
  LEFT JOIN users s ON s.id = m.sender_id
  LEFT JOIN participants sent ON sent.conversation_id = m.conversation_id AND sent.user_id = m.sender_id
  LEFT JOIN users addressee ON addressee.id = sent.other_id
  LEFT JOIN attachments a ON a.message_id = m.id AND m.deleted_at IS NULL`;

/** A conversation as `p` sees it, with what it is SHOWN_WITH. */
const CONVERSATION = {
  id: p.conversation_id,
  title: p.title,
  person: chatPerson('u', 'o'),
  other: chatPerson('o', 'u'),
  last_message: optional(part(MESSAGE)),
  unread_count: p.unread_count,
  created_at: table<Conversation>('c').created_at,
  last_active_at: p.last_active_at,
};
export const CONVERSATION_COLUMNS = row(CONVERSATION);
export type ConversationRow = RowOf<typeof CONVERSATION_COLUMNS>;
const shownWith = (last: Sql) => sql`
  JOIN conversations c ON c.id = p.conversation_id
  JOIN users u ON u.id = p.user_id JOIN users o ON o.id = p.other_id
  LEFT JOIN LATERAL (${last}) m ON TRUE
  ${SHOWN}`;
export const SHOWN_WITH = shownWith(lastMessage(p.conversation_id, p.cleared_up_to_id));

/**
 * The same with the profile of the other, which is the one that they made or chose last, or else the oldest; and with
 * the last message that was not deleted.
 */
export const CONVERSATION_WITH_OTHER = row({
  ...CONVERSATION,
  profile: optional(part(pick(table<Profile>('others'), 'id', 'profile_type'))),
});
export type ConversationRowWithOther = RowOf<typeof CONVERSATION_WITH_OTHER>;
export const SHOWN_WITH_OTHER = sql`${shownWith(lastMessage(p.conversation_id, p.cleared_up_to_id, raw('AND deleted_at IS NULL')))}
  LEFT JOIN LATERAL (
    SELECT id, profile_type FROM profiles WHERE account_id = p.other_id ORDER BY is_current DESC, id LIMIT 1
  ) others ON TRUE`;

/**
 * Of a person `u` who takes part as `p`: what clients show that know no other name than that of the sign-in, and the
 * profile that they made or chose last, or else the oldest.
 */
export const PARTY_COLUMNS = row({
  conversation_id: p.conversation_id,
  ...names('u', 'o'),
  email: computed<string | null>(raw('CASE WHEN u.username IS NULL THEN u.email END')),
  profile: optional(part(pick(table<Profile>('held'), 'id', 'profile_type'))),
});
export const HELD = raw(`LEFT JOIN LATERAL (
  SELECT id, profile_type FROM profiles WHERE account_id = u.id ORDER BY is_current DESC, id LIMIT 1) held ON TRUE`);

/** The actor as `p` takes part in a conversation. */
export const takesPart = (actor: Actor) => everyGym`p.user_id = ${actor.user_id} AND p.left_at IS NULL`;

/** The messages `m` that the actor may see. */
export const visibleMessage = (actor: Actor) =>
  everyGym`EXISTS (SELECT FROM participants p WHERE p.conversation_id = m.conversation_id AND ${takesPart(actor)}
    AND m.id > p.cleared_up_to_id)`;

/**
 * The other of a conversation `p` is called like this: each word is in the name, if it is shown, or in what is `shown`
 * beside it.
 */
export const otherIsCalled = (actor: Actor, typed: string, shown: Sql): Sql =>
  sql`EXISTS (
    SELECT FROM users o WHERE o.id = p.other_id AND NOT EXISTS (
      SELECT FROM string_to_table(search_form(${typed}), ' ') word
      WHERE strpos(search_form(concat_ws(' ', ${shown},
        CASE WHEN ${isNamedTo('o', sql`(${actor.role} = 'user')`)} THEN o.full_name END)), word) = 0))`;
