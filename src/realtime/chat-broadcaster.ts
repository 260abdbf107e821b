import { Injectable, Logger } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import pLimit from 'p-limit';
import { MessageEdited, MessageRemoved, MessageSent, MessagesRead, TypingChanged } from '../chat/chat.events.js';
import type { MessageDto } from '../chat/dto/message.dto.js';
import { MessagesService } from '../chat/messages.service.js';
import type { ServerEvents } from './event-map.js';
import { broadcastInTurn } from './packets.js';
import { Sockets, userRoom } from './sockets.js';

type ChatEvents = ServerEvents['/chat'];
type ChatEvent = keyof ChatEvents;

/** Tells the two of a conversation what happens in it, on all their devices. */
@Injectable()
export class ChatBroadcaster {
  private readonly logger = new Logger('Realtime');
  /** One at a time: who tells holds a connection to the database, and to tell may need another. */
  private readonly queue = pLimit(1);
  private readonly waiting = new Set<number>();

  constructor(
    private readonly sockets: Sockets,
    private readonly messages: MessagesService,
  ) {}

  /** Returns when all that was sent until now is told. */
  async flush(): Promise<void> {
    await this.queue(() => undefined);
  }

  /** What comes while a conversation waits is told with it. */
  @OnEvent(MessageSent.name)
  onSent({ conversation_id }: MessageSent): void {
    if (this.waiting.has(conversation_id)) return;
    this.waiting.add(conversation_id);
    void this.queue(() => this.tellNews(conversation_id));
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
    void this.queue(async () => {
      await this.tellNews(news.conversation_id);
      this.sockets.io?.of('/chat').to(people.map(userRoom)).emit(event, news);
    });
  }

  private async tellNews(conversationId: number): Promise<void> {
    this.waiting.delete(conversationId);
    const { io } = this.sockets;
    if (!io) return;
    try {
      await this.messages.tellNews(conversationId, (message, people) =>
        broadcastInTurn(io.of('/chat'), people.map(userRoom), 'chat_message', chatMessage(message)),
      );
    } catch (error) {
      this.logger.warn(`Messages are told with the next ones: ${(error as Error).message}`);
    }
  }
}

const chatMessage = ({ id, conversation_id, sender, content, attachment, timestamp }: MessageDto) =>
  ({ message_id: id, conversation_id, sender, content, attachment, timestamp }) satisfies ChatEvents['chat_message'];
