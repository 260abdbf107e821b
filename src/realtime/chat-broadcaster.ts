import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import pLimit from 'p-limit';
import { MessageEdited, MessageRemoved, MessageSent, MessagesRead, TypingChanged } from '../chat/chat.events.js';
import type { MessageDto } from '../chat/dto/message.dto.js';
import { MessagesService } from '../chat/messages.service.js';
import { Unavailable } from '../common/errors/common.errors.js';
import { warnOf } from '../common/outage.js';
import type { ServerEvents } from './event-map.js';
import { Cluster } from './cluster.js';
import { broadcastInTurn } from './packets.js';
import { Sockets, userRoom } from './sockets.js';

type ChatEvents = ServerEvents['/chat'];
type ChatEvent = keyof ChatEvents;

/** If the database did not answer. */
const RETRY_MS = 1_000;
/** If another server tells of the same conversation. */
const TURN_MS = 20;

/** Tells the two of a conversation what happens in it, on all their devices. */
@Injectable()
export class ChatBroadcaster {
  private readonly logger = new Logger('Realtime');
  /** One at a time: who tells holds a connection to the database, and to tell may need another. */
  private readonly queue = pLimit(1);
  /** Conversations of which something is to be told, with what comes behind their messages. */
  private readonly due = new Map<number, (() => void)[]>();
  /** Conversations with the first message that this server's sockets have been told alone. */
  private readonly untold = new Map<number, number>();

  constructor(
    private readonly sockets: Sockets,
    private readonly messages: MessagesService,
    cluster: Cluster,
  ) {
    cluster.onBack(() => {
      for (const [conversationId, messageId] of this.untold) {
        void this.queue(() => this.tellAgain(conversationId, messageId));
      }
      this.untold.clear();
    });
  }

  /** Returns when all that was sent until now is told. */
  async flush(): Promise<void> {
    await this.queue(() => undefined);
  }

  @OnEvent(MessageSent.name)
  onSent({ conversation_id }: MessageSent): void {
    this.tellSoon(conversation_id, []);
  }

  @OnEvent(MessageEdited.name)
  onEdited({ people, news }: MessageEdited): void {
    this.tell(people, 'message_edited', news);
  }

  @OnEvent(MessageRemoved.name)
  onRemoved({ people, news }: MessageRemoved): void {
    this.tell(people, 'message_deleted', news);
  }

  @OnEvent(MessagesRead.name)
  onRead({ people, news }: MessagesRead): void {
    this.tell(people, 'read_receipt', news);
  }

  /** Worth nothing a moment later, so kept nowhere. */
  @OnEvent(TypingChanged.name)
  onTyping({ people, news }: TypingChanged): void {
    if (people.length > 0)
      this.sockets.io?.of('/chat').to(people.map(userRoom)).volatile.emit('typing_indicator', news);
  }

  /** After the messages before it: what happened to a message is not told before the message. */
  private tell<Event extends ChatEvent>(
    people: number[],
    event: Event,
    news: ChatEvents[Event] & { conversation_id: number },
  ): void {
    const emit = () => this.sockets.io?.of('/chat').to(people.map(userRoom)).emit(event, news);
    this.tellSoon(news.conversation_id, [emit]);
  }

  /** What comes while a conversation waits is told with it. @param isAgain it comes before what has come meanwhile */
  private tellSoon(conversationId: number, behind: (() => void)[], isAgain = false): void {
    const waiting = this.due.get(conversationId);
    this.due.set(conversationId, isAgain ? [...behind, ...(waiting ?? [])] : [...(waiting ?? []), ...behind]);
    if (!waiting) void this.queue(() => this.tellNow(conversationId));
  }

  private async tellNow(conversationId: number): Promise<void> {
    const behind = this.due.get(conversationId)!;
    this.due.delete(conversationId);
    const pauseMs = await this.tellNews(conversationId);
    if (pauseMs === 0) for (const tell of behind) tell();
    else {
      await sleep(pauseMs, undefined, { ref: false });
      this.tellSoon(conversationId, behind, true);
    }
  }

  /** From this message on. */
  private async tellAgain(conversationId: number, messageId: number): Promise<void> {
    try {
      await this.messages.untell(conversationId, messageId);
      this.tellSoon(conversationId, []);
    } catch (error) {
      warnOf(this.logger, 'Messages are not told again', error);
    }
  }

  /** @returns after how many ms it must be tried again; 0: it is done */
  private async tellNews(conversationId: number): Promise<number> {
    const { io } = this.sockets;
    if (!io) return 0;
    try {
      const isDone = await this.messages.tellNews(conversationId, async (message, people) => {
        const rooms = people.map(userRoom);
        const isForAll = await broadcastInTurn(io.of('/chat'), rooms, 'chat_message', chatMessage(message));
        if (!isForAll && !this.untold.has(conversationId)) this.untold.set(conversationId, message.id);
      });
      return isDone ? 0 : TURN_MS;
    } catch (error) {
      warnOf(this.logger, 'Messages are told later', error);
      return error instanceof Unavailable ? RETRY_MS : 0;
    }
  }
}

const chatMessage = ({ id, conversation_id, sender, content, attachment, timestamp }: MessageDto) =>
  ({ message_id: id, conversation_id, sender, content, attachment, timestamp }) satisfies ChatEvents['chat_message'];
