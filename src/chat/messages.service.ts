import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import type { IdempotencyKey } from '../common/http/idempotency.js';
import { Page } from '../common/http/list.js';
import { NumberedPage, type NumberedQuery } from '../common/http/numbered.js';
import { MAX_ID } from '../common/http/whole.js';
import { Database, type Queryable, type Transaction } from '../database/database.js';
import { once } from '../database/idempotency.js';
import { numberedPage } from '../database/numbered.js';
import { everyGym, raw, sql } from '../database/sql.js';
import { AttachmentsService, type StoredFile } from './attachments.service.js';
import { ConversationNotFound, MessageNotFound, PersonNotActive } from './chat.errors.js';
import { MessageEdited, MessageRemoved, MessageSent, MessagesRead, TypingChanged } from './chat.events.js';
import { requireMayDelete, requireMayEdit } from './chat.rules.js';
import {
  between,
  IN_ORDER,
  MESSAGE_COLUMNS,
  NEWEST_FIRST,
  NO_END,
  PERSON,
  PERSON_COLUMNS,
  SHOWN,
  takesPart,
  visibleMessage,
} from './chat.sql.js';
import type { AboutMessage } from './dto/chat-messages.dto.js';
import type { MessageDto, MessageListQuery, ReadDto } from './dto/message.dto.js';
import { Links } from './links.js';
import { lockConversation, lockConversationOf, type Parts } from './locking.js';

/** What is told at once; what could not be told for so long is found by reading. */
const NEWS = everyGym`interval '1 minute'`;
/** Of the locks that put what is told of a conversation into order. */
const TELLING = 20_251_127;
const KEPT = everyGym`interval '7 days'`;
const AT_ONCE = 1000;

type Reading = Omit<ReadDto, 'read_by'>;

/** The messages of conversations. */
@Injectable()
export class MessagesService {
  constructor(
    private readonly db: Database,
    private readonly links: Links,
    private readonly attachments: AttachmentsService,
  ) {}

  /** The oldest first; with `before_id` the last ones before it. @throws ConversationNotFound, FieldsInvalid */
  async list(
    actor: Actor,
    conversationId: number,
    { after_id = 0, before_id, limit }: MessageListQuery,
  ): Promise<Page<MessageDto>> {
    if (after_id > 0 && before_id) throw FieldsInvalid.of('before_id', 'must not come together with after_id');
    const after = sql`${Math.max(after_id, await this.clearedUpTo(actor, conversationId))}`;
    // One more tells whether there is another page. The limit stands in the text, so that PostgreSQL plans for it.
    const found = await this.db.query(everyGym`
      SELECT ${MESSAGE_COLUMNS} FROM (
        SELECT * FROM messages WHERE ${between(sql`${conversationId}`, after, sql`${before_id ?? MAX_ID}`)}
        ORDER BY ${before_id ? NEWEST_FIRST : IN_ORDER} LIMIT ${raw(String(limit + 1))}) m
      ${SHOWN} ORDER BY m.id ${raw(before_id ? 'DESC' : 'ASC')}`);
    const shown = found.slice(0, limit).map((message) => this.links.shown(message));
    const next = found.length > limit ? String(shown.at(-1)!.id) : null;
    return Page.of(before_id ? shown.toReversed() : shown, next, before_id ? 'before_id' : 'after_id');
  }

  /**
   * By page numbers, without those that were deleted. In each page the oldest message is first.
   * @param query `from_newest`: the first page has the newest messages, and the next one goes back in time
   * @throws ConversationNotFound
   */
  async listNumbered(
    actor: Actor,
    conversationId: number,
    { from_newest, ...query }: NumberedQuery & { from_newest?: boolean },
  ): Promise<NumberedPage<MessageDto>> {
    const after = await this.clearedUpTo(actor, conversationId);
    const from = everyGym`FROM messages m
      WHERE ${between(sql`${conversationId}`, sql`${after}`, NO_END)} AND m.deleted_at IS NULL`;
    const page = await numberedPage(this.db, query, {
      columns: MESSAGE_COLUMNS,
      from,
      shown: { alias: 'm', joins: SHOWN },
      keys: { conversation_id: 'm.conversation_id', id: 'm.id' },
      direction: from_newest ? 'DESC' : 'ASC',
    });
    const shown = page.map((message) => this.links.shown(message));
    return from_newest ? NumberedPage.of(shown, (await shown.items()).toReversed()) : shown;
  }

  /** @throws MessageNotFound */
  async get(actor: Actor, messageId: number, db: Queryable = this.db): Promise<MessageDto> {
    const [message] = await db.query(everyGym`
      SELECT ${MESSAGE_COLUMNS} FROM messages m ${SHOWN} WHERE m.id = ${messageId} AND ${visibleMessage(actor)}`);
    if (!message) throw new MessageNotFound();
    return this.links.shown(message);
  }

  /** That the actor may write there now. @throws ConversationNotFound, PersonNotActive */
  requireWritable(actor: Actor, conversationId: number): Promise<void> {
    return this.db.transaction((tx) => this.lockPeople(tx, actor, conversationId));
  }

  /** Stored first, and told when it is. @throws ConversationNotFound, PersonNotActive */
  async send(
    actor: Actor,
    conversationId: number,
    content: string | null,
    file: StoredFile | null,
    key: IdempotencyKey | null,
  ): Promise<MessageDto> {
    if (content === null && !file) throw FieldsInvalid.of('content', 'must not be empty without an attachment');
    let first: MessageDto | undefined;
    const { id } = await once(this.db, actor, key, async (tx) => {
      await this.lockPeople(tx, actor, conversationId);
      await lockConversation(tx, actor, conversationId);
      const [stored] = await tx.query<{ id: number }>(everyGym`
        INSERT INTO messages (conversation_id, sender_id, content, timestamp)
        VALUES (${conversationId}, ${actor.user_id}, ${content}, moment()) RETURNING id`);
      if (file) await this.attachments.attach(tx, stored!.id, file);
      // Who had left is back.
      await tx.query(everyGym`
        UPDATE participants SET left_at = NULL, last_active_at = moment(),
          unread_count = unread_count + (user_id <> ${actor.user_id})::int
        WHERE conversation_id = ${conversationId}`);
      tx.emit(new MessageSent(conversationId));
      first = await this.get(actor, stored!.id, tx);
      return stored!;
    });
    // With the key only its id is stored: it may have been edited since, and its link lasts an hour.
    return first ?? this.get(actor, id);
  }

  /** @throws MessageNotFound, NotSender, MessageDeleted */
  edit(actor: Actor, messageId: number, content: string): Promise<MessageDto> {
    return this.changing(actor, messageId, async (tx, parts, message) => {
      requireMayEdit(actor, message);
      if (message.content === content) return message;
      await tx.query(everyGym`UPDATE messages SET content = ${content}, edited_at = moment() WHERE id = ${messageId}`);
      const edited = await this.get(actor, messageId, tx);
      const { conversation_id, sender, edited_at } = edited;
      const change = { new_content: content, edited_by: sender, edited_at: edited_at! };
      tx.emit(new MessageEdited(seeing(parts, messageId), { message_id: messageId, conversation_id, ...change }));
      return edited;
    });
  }

  /** For both, at once. What is deleted is kept for a week. @throws MessageNotFound, NotSender */
  remove(actor: Actor, messageId: number): Promise<AboutMessage> {
    return this.changing(actor, messageId, async (tx, parts, message) => {
      requireMayDelete(actor, message);
      const { conversation_id, sender } = message;
      const about = { message_id: messageId, conversation_id };
      if (message.is_deleted) return about;
      const [removed] = await tx.query<{ deleted_at: Date }>(everyGym`
        UPDATE messages SET deleted_at = moment() WHERE id = ${messageId} RETURNING deleted_at`);
      await tx.query(everyGym`
        UPDATE participants SET unread_count = unread_count - 1
        WHERE conversation_id = ${conversation_id} AND user_id = ${parts.other.user_id}
          AND last_read_id < ${messageId}`);
      tx.emit(new MessageRemoved(seeing(parts, messageId), { ...about, deleted_by: sender, ...removed! }));
      return about;
    });
  }

  /** All up to this message is read; never less than before. @throws MessageNotFound */
  markRead(actor: Actor, messageId: number): Promise<ReadDto> {
    return this.changing(actor, messageId, async (tx, parts, { conversation_id }) => {
      const mine = sql`conversation_id = ${conversation_id} AND user_id = ${actor.user_id}`;
      const state = sql`conversation_id, last_read_id AS message_id, last_read_at AS read_at, unread_count`;
      const reader = { read_by: await this.person(tx, actor, conversation_id) };
      const [changed] = await tx.query<Reading & { now_read: number }>(everyGym`
        WITH now_read AS (
          UPDATE messages SET read_at = moment()
          WHERE conversation_id = ${conversation_id} AND id > ${parts.me.last_read_id} AND id <= ${messageId}
            AND sender_id <> ${actor.user_id} AND deleted_at IS NULL RETURNING 1)
        UPDATE participants SET last_read_id = ${messageId}, last_read_at = moment(),
          unread_count = unread_count - (SELECT count(*) FROM now_read)
        WHERE ${mine} AND last_read_id < ${messageId}
        RETURNING ${state}, (SELECT count(*) FROM now_read) AS now_read`);
      if (!changed) {
        const [reading] = await tx.query<Reading>(everyGym`SELECT ${state} FROM participants WHERE ${mine}`);
        return { ...reading!, ...reader };
      }
      const { now_read, unread_count, ...reading } = changed;
      const receipt = { ...reading, ...reader };
      // What one wrote oneself tells the other nothing.
      if (now_read > 0) tx.emit(new MessagesRead(seeing(parts, messageId), receipt));
      return { ...receipt, unread_count };
    });
  }

  /** Tells the other, and stores nothing. @throws ConversationNotFound */
  setTyping(actor: Actor, conversationId: number, isTyping: boolean): Promise<void> {
    return this.db.statement(async (unit) => {
      const [part] = await unit.query<{ people: number[] }>(everyGym`
        SELECT ARRAY(SELECT o.user_id FROM participants o WHERE o.conversation_id = p.conversation_id
          AND o.user_id = p.other_id AND o.left_at IS NULL) AS people
        FROM participants p WHERE p.conversation_id = ${conversationId} AND ${takesPart(actor)}`);
      if (!part) throw new ConversationNotFound();
      const news = {
        conversation_id: conversationId,
        user: await this.person(unit, actor, conversationId),
        is_typing: isTyping,
      };
      unit.emit(new TypingChanged(part.people, news));
    });
  }

  /**
   * Gives what has not been told of a conversation, in its order, whichever server asks: two that have stored a message
   * each may come here in the wrong order, or one may be gone.
   * @param tell returns when all servers will get it before what is told next
   * @returns whether that is done; not, if another server tells of it just now: it may be frozen
   */
  async tellNews(
    conversationId: number,
    tell: (message: MessageDto, people: number[]) => Promise<void>,
  ): Promise<boolean> {
    return this.db.transaction(async (tx) => {
      const [turn] = await tx.query<{ is_ours: boolean }>(everyGym`
        SELECT pg_try_advisory_xact_lock(${TELLING}, ${conversationId}) AS is_ours`);
      if (!turn!.is_ours) return false;
      const news = await tx.query(everyGym`
        SELECT ${MESSAGE_COLUMNS} FROM messages m ${SHOWN}
        WHERE m.conversation_id = ${conversationId} AND m.deleted_at IS NULL AND m.timestamp > now() - ${NEWS}
          AND m.id > (SELECT told_up_to_id FROM conversations WHERE id = ${conversationId})
        ORDER BY m.id`);
      // Afterwards: who had left is back with the message.
      const people = await tx.query<{ user_id: number }>(everyGym`
        SELECT user_id FROM participants WHERE conversation_id = ${conversationId} AND left_at IS NULL`);
      const to = people.map(({ user_id }) => user_id);
      for (const message of news) await tell(this.links.shown(message), to);
      const last = news.at(-1);
      if (last)
        await tx.query(everyGym`UPDATE conversations SET told_up_to_id = ${last.id} WHERE id = ${conversationId}`);
      return true;
    });
  }

  /** This message, and what came after it in the conversation, has not been told to all. */
  async untell(conversationId: number, messageId: number): Promise<void> {
    await this.db.change(everyGym`
      UPDATE conversations SET told_up_to_id = least(told_up_to_id, ${messageId - 1}) WHERE id = ${conversationId}`);
  }

  /** Removes for good what was deleted a week ago, and files that no message has. */
  async purge(): Promise<void> {
    let removed: object[];
    do {
      removed = await this.db.change(everyGym`
        DELETE FROM messages WHERE id IN (
          SELECT id FROM messages WHERE deleted_at < now() - ${KEPT} LIMIT ${AT_ONCE}) RETURNING 1`);
    } while (removed.length === AT_ONCE);
    await this.attachments.purge();
  }

  /** Does `work` with a message that the actor sees, in its locked conversation. @throws MessageNotFound */
  private changing<Result>(
    actor: Actor,
    messageId: number,
    work: (tx: Transaction, parts: Parts, message: MessageDto) => Promise<Result>,
  ): Promise<Result> {
    return this.db.transaction(async (tx) => {
      const parts = await lockConversationOf(tx, actor, messageId).catch((error: unknown) => {
        throw error instanceof ConversationNotFound ? new MessageNotFound() : error;
      });
      return work(tx, parts, await this.get(actor, messageId, tx));
    });
  }

  /** Who is deleted or deactivated at this moment waits for us, or we for that. */
  private async lockPeople(tx: Transaction, actor: Actor, conversationId: number): Promise<void> {
    const people = await tx.query<{ is_there: boolean }>(everyGym`
      SELECT u.is_active AND u.deleted_at IS NULL AS is_there
      FROM participants p JOIN users u ON u.id IN (p.user_id, p.other_id)
      WHERE p.conversation_id = ${conversationId} AND ${takesPart(actor)} ORDER BY u.id FOR SHARE OF u`);
    if (people.length === 0) throw new ConversationNotFound();
    if (people.some(({ is_there }) => !is_there)) throw new PersonNotActive();
  }

  /** The last message that the actor does not see any more. @throws ConversationNotFound */
  private async clearedUpTo(actor: Actor, conversationId: number): Promise<number> {
    const [part] = await this.db.query<{ cleared_up_to_id: number }>(everyGym`
      SELECT p.cleared_up_to_id FROM participants p
      WHERE p.conversation_id = ${conversationId} AND ${takesPart(actor)}`);
    if (!part) throw new ConversationNotFound();
    return part.cleared_up_to_id;
  }

  private async person(db: Queryable, { user_id }: Actor, conversationId: number) {
    const [person] = await db.query(everyGym`
      SELECT ${PERSON_COLUMNS} FROM ${PERSON} WHERE p.conversation_id = ${conversationId} AND p.user_id = ${user_id}`);
    return person!;
  }
}

/** Those who see the message: they have not left, or were back when it was written. */
const seeing = ({ me, other }: Parts, messageId: number): number[] =>
  [me, other]
    .filter(({ left_at, cleared_up_to_id }) => !left_at && messageId > cleared_up_to_id)
    .map(({ user_id }) => user_id);
