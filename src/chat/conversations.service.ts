import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { Page } from '../common/http/list.js';
import type { Numbered, NumberedPage } from '../common/http/numbered.js';
import { Database, type Queryable, type Transaction } from '../database/database.js';
import { listPage } from '../database/keyset.js';
import { numberedPage } from '../database/numbered.js';
import { assignments, empty, everyGym, raw, type ScopedSql, sql, type Sql } from '../database/sql.js';
import { UserNotFound } from '../people/people.errors.js';
import { reachablePerson } from '../people/people.sql.js';
import { AttachmentsService } from './attachments.service.js';
import { ConversationNotFound } from './chat.errors.js';
import {
  CONVERSATION_COLUMNS,
  CONVERSATION_WITH_OTHER,
  type ConversationRow,
  type ConversationRowWithOther,
  HELD,
  lastMessage,
  otherIsCalled,
  PARTY_COLUMNS,
  PERSON,
  SHOWN_WITH,
  SHOWN_WITH_OTHER,
  takesPart,
} from './chat.sql.js';
import { lockConversation, lockParts } from './locking.js';
import type { ConversationDto, ConversationListQuery, UpdateConversationDto } from './dto/conversation.dto.js';
import { Links } from './links.js';

/** A conversation and the other of the two, with what they are there as. */
export interface ConversationWithOther extends ConversationDto {
  other: ConversationRow['other'] & { current_profile: ConversationRowWithOther['profile'] };
}

/** One of the two of a conversation. */
export interface Party {
  id: number;
  username: string | null;
  full_name: string | null;
  /** Of one who has no username, and signs in with it. */
  email: string | null;
  /** What they are there as. */
  profile: ConversationRowWithOther['profile'];
}

/** Conversations of two. */
@Injectable()
export class ConversationsService {
  constructor(
    private readonly db: Database,
    private readonly links: Links,
    private readonly attachments: AttachmentsService,
  ) {}

  /** One's own, the last active first. */
  async list(actor: Actor, query: ConversationListQuery): Promise<Page<ConversationDto>> {
    const page = await listPage(this.db, query, {
      ...sourceFor(actor, query, raw('o.username')),
      columns: CONVERSATION_COLUMNS,
    });
    return page.map((found) => this.show(found));
  }

  /** The same by page numbers, each with the other of the two. */
  async listNumbered(
    actor: Actor,
    query: Numbered<ConversationListQuery>,
  ): Promise<NumberedPage<ConversationWithOther>> {
    const page = await numberedPage(this.db, query, {
      // Its clients show an email where there is no username.
      ...sourceFor(actor, query, raw('coalesce(o.username, o.email)')),
      columns: CONVERSATION_WITH_OTHER,
      shown: { alias: 'p', joins: SHOWN_WITH_OTHER },
    });
    return page.map((found) => this.showWithOther(found));
  }

  /**
   * That the actor takes part.
   * @throws ConversationNotFound, which tells one of others from none; one that the actor has left is none
   */
  async requirePart(actor: Actor, conversationId: number): Promise<void> {
    const [found] = await this.db.query<{ takes_part: boolean; is_own: boolean }>(everyGym`
      SELECT EXISTS (SELECT FROM participants p WHERE p.conversation_id = c.id AND ${takesPart(actor)}) AS takes_part,
        ${actor.user_id} IN (c.user1_id, c.user2_id) AS is_own
      FROM conversations c WHERE c.id = ${conversationId}`);
    if (!found?.takes_part) throw new ConversationNotFound(found !== undefined && !found.is_own);
  }

  /** The people of these conversations, if they are the actor's; one that a person has left still has both. */
  async parties(actor: Actor, conversationIds: number[]): Promise<Party[]> {
    const found = await this.db.query(everyGym`
      SELECT ${PARTY_COLUMNS} FROM ${PERSON} ${HELD}
      WHERE p.conversation_id = ANY(${conversationIds}) AND ${actor.user_id} IN (p.user_id, p.other_id)`);
    return found.map(({ conversation_id: _, ...party }) => party);
  }

  /** @throws ConversationNotFound */
  async get(actor: Actor, conversationId: number, db: Queryable = this.db): Promise<ConversationDto> {
    const [found] = await db.query(everyGym`
      SELECT ${CONVERSATION_COLUMNS} FROM participants p ${SHOWN_WITH}
      WHERE p.conversation_id = ${conversationId} AND ${takesPart(actor)}`);
    if (!found) throw new ConversationNotFound();
    return this.show(found);
  }

  /**
   * The conversation with this person: a new one with those whom one may know; one that is there goes on. Who had left
   * it is back, without what was written before.
   * @throws FieldsInvalid, UserNotFound
   */
  start(actor: Actor, otherId: number): Promise<{ conversation: ConversationDto; is_new: boolean }> {
    const { user_id } = actor;
    if (otherId === user_id) throw FieldsInvalid.of('user2', 'must be another person');
    const [user1, user2] = user_id < otherId ? [user_id, otherId] : [otherId, user_id];
    return this.db.transaction(async (tx) => {
      const isPair = sql`user1_id = ${user1} AND user2_id = ${user2}`;
      // Who is deleted at this moment starts nothing, and nothing is started with them.
      const people = await tx.query<{ id: number; is_known: boolean }>(everyGym`
        SELECT u.id, u.deleted_at IS NULL AND (${reachablePerson(actor, 'u')}
          OR EXISTS (SELECT FROM conversations WHERE ${isPair})) AS is_known
        FROM users u WHERE u.id IN (${user1}, ${user2}) ORDER BY u.id FOR SHARE OF u`);
      if (!people.find(({ id }) => id === otherId)?.is_known) throw new UserNotFound();
      for (;;) {
        // The pair is unique. Of two who start at once the second waits for the first, and gets the same conversation.
        const [made] = await tx.query<{ id: number }>(everyGym`
          INSERT INTO conversations (user1_id, user2_id) VALUES (${user1}, ${user2})
          ON CONFLICT (user1_id, user2_id) DO NOTHING RETURNING id`);
        if (made) {
          await tx.query(everyGym`
            INSERT INTO participants (conversation_id, user_id, other_id, last_active_at)
            VALUES (${made.id}, ${user1}, ${user2}, moment()), (${made.id}, ${user2}, ${user1}, moment())`);
          return { conversation: await this.get(actor, made.id, tx), is_new: true };
        }
        const [part] = await lockParts(tx, actor, sql`(SELECT id FROM conversations WHERE ${isPair})`);
        // Both have left it at this moment, and it is gone.
        if (!part) continue;
        await tx.query(everyGym`
          UPDATE participants SET left_at = NULL, last_active_at = moment()
          WHERE conversation_id = ${part.conversation_id} AND user_id = ${user_id} AND left_at IS NOT NULL`);
        return { conversation: await this.get(actor, part.conversation_id, tx), is_new: false };
      }
    });
  }

  /** @throws ConversationNotFound */
  async update(actor: Actor, conversationId: number, changes: UpdateConversationDto): Promise<ConversationDto> {
    await this.db.change(everyGym`
      UPDATE participants p SET ${assignments(changes, ['title'])} user_id = user_id
      WHERE conversation_id = ${conversationId} AND ${takesPart(actor)}`);
    return this.get(actor, conversationId);
  }

  /**
   * What was written until now is gone for the one who leaves. When the other writes, the conversation is back; when
   * both have left, nothing is left of it.
   * @throws ConversationNotFound
   */
  async leave(actor: Actor, conversationId: number): Promise<void> {
    const unused = await this.db.transaction(async (tx) => {
      const { me, other } = await lockConversation(tx, actor, conversationId);
      if (other.left_at) return this.remove(tx, everyGym`id = ${conversationId}`);
      const last = lastMessage(sql`${conversationId}`, sql`0`);
      await tx.query(everyGym`
        UPDATE participants SET left_at = moment(), title = NULL, unread_count = 0, cleared_up_to_id = last.id,
          last_read_id = last.id
        FROM (SELECT coalesce((SELECT id FROM (${last}) m), 0) AS id) last
        WHERE conversation_id = ${conversationId} AND user_id = ${me.user_id}`);
      return [];
    });
    await this.attachments.discard(unused);
  }

  /**
   * Erases what a person who is deleted wrote, and what the two of each conversation call it. They have left; what both
   * have left is gone. Files go at the next purge.
   */
  async forgetPerson(tx: Transaction, userId: number): Promise<void> {
    await tx.query(everyGym`
      SELECT FROM participants WHERE conversation_id IN (${conversationsOf(userId)}) ORDER BY conversation_id, user_id
      FOR NO KEY UPDATE`);
    await tx.query(everyGym`
      UPDATE participants SET title = NULL,
        left_at = CASE WHEN user_id = ${userId} THEN coalesce(left_at, moment()) ELSE left_at END,
        unread_count = CASE WHEN user_id = ${userId} THEN unread_count ELSE 0 END
      WHERE conversation_id IN (${conversationsOf(userId)})`);
    await tx.query(everyGym`
      UPDATE messages SET content = NULL, deleted_at = coalesce(deleted_at, moment()) WHERE sender_id = ${userId}`);
    await tx.query(everyGym`
      UPDATE attachments SET message_id = NULL, name = NULL, content_type = NULL, size = NULL
      WHERE uploaded_by_id = ${userId}`);
    await this.remove(
      tx,
      everyGym`id IN (${conversationsOf(userId)}) AND NOT EXISTS (
        SELECT FROM participants WHERE conversation_id = conversations.id AND left_at IS NULL)`,
    );
  }

  /** @returns the ids of attachments that no message has any more */
  private async remove(tx: Transaction, which: ScopedSql): Promise<number[]> {
    const unused = await tx.query<{ id: number }>(everyGym`
      SELECT a.id FROM attachments a JOIN messages m ON m.id = a.message_id
      WHERE m.conversation_id IN (SELECT id FROM conversations WHERE ${which})`);
    await tx.query(everyGym`DELETE FROM conversations WHERE ${which}`);
    return unused.map(({ id }) => id);
  }

  private showWithOther({ profile, ...found }: ConversationRowWithOther): ConversationWithOther {
    return { ...this.show(found), other: { ...found.other, current_profile: profile } };
  }

  private show(found: ConversationRow): ConversationDto {
    const { person, other, last_message, last_active_at: _, ...rest } = found;
    return {
      ...rest,
      participants: person.id < other.id ? [person, other] : [other, person],
      last_message: last_message && this.links.shown(last_message),
      last_message_at: last_message && last_message.timestamp,
    };
  }
}

/** Those of the actor, the last active first. */
const sourceFor = (actor: Actor, { search }: Numbered<ConversationListQuery>, shown: Sql) =>
  ({
    from: everyGym`FROM participants p WHERE ${takesPart(actor)}
      ${search ? sql`AND ${otherIsCalled(actor, search, shown)}` : empty}`,
    shown: { alias: 'p', joins: SHOWN_WITH },
    keys: { last_active_at: 'p.last_active_at', id: 'p.conversation_id' },
    direction: 'DESC',
  }) as const;

/** The ids of all conversations of a person. */
const conversationsOf = (userId: number) =>
  sql`SELECT id FROM conversations WHERE user1_id = ${userId}
    UNION ALL SELECT id FROM conversations WHERE user2_id = ${userId}`;
