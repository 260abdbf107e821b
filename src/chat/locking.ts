import type { Actor } from '../common/actor/actor.js';
import type { Transaction } from '../database/database.js';
import { everyGym, type Sql, sql } from '../database/sql.js';
import { ConversationNotFound } from './chat.errors.js';
import type { Participant } from './entities/participant.entity.js';

type Part = Pick<Participant, 'conversation_id' | 'user_id' | 'left_at' | 'last_read_id' | 'cleared_up_to_id'>;

/** The two of a conversation, locked until the transaction ends. */
export interface Parts {
  me: Part;
  other: Part;
}

/**
 * Locks a conversation: what changes it happens one after the other, so its messages are committed in the order of
 * their ids. Who also locks people locks them first.
 * @throws ConversationNotFound if the actor does not take part
 */
export const lockConversation = (tx: Transaction, actor: Actor, conversationId: number): Promise<Parts> =>
  lock(tx, actor, sql`${conversationId}`);

/** The same for the conversation of a message. @throws ConversationNotFound */
export const lockConversationOf = (tx: Transaction, actor: Actor, messageId: number): Promise<Parts> =>
  lock(tx, actor, sql`(SELECT conversation_id FROM messages WHERE id = ${messageId})`);

/** The two, locked, if the actor is one of them; also if the actor has left. */
export const lockParts = (tx: Transaction, { user_id }: Actor, conversationId: Sql): Promise<Part[]> =>
  tx.query<Part>(everyGym`
    SELECT conversation_id, user_id, left_at, last_read_id, cleared_up_to_id FROM participants
    WHERE conversation_id = ${conversationId} AND ${user_id} IN (user_id, other_id)
    ORDER BY user_id FOR NO KEY UPDATE`);

async function lock(tx: Transaction, actor: Actor, conversationId: Sql): Promise<Parts> {
  const parts = await lockParts(tx, actor, conversationId);
  const me = parts.find(({ user_id }) => user_id === actor.user_id);
  const other = parts.find(({ user_id }) => user_id !== actor.user_id);
  if (!me || !other || me.left_at) throw new ConversationNotFound();
  return { me, other };
}
