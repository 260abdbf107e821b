import { DomainEvent } from '../common/events/domain-event.js';
import type {
  MessageDeletedDto,
  MessageEditedDto,
  ReadReceiptDto,
  TypingIndicatorDto,
} from './dto/chat-messages.dto.js';

/** What happened in a conversation. Its two people may be of different gyms. */
abstract class ChatEvent extends DomainEvent {
  readonly gym_id = null;
}

/** There is a message to tell. */
export class MessageSent extends ChatEvent {
  constructor(readonly conversation_id: number) {
    super();
  }
}

/** What is told to people as it is. */
abstract class ChatNews<News> extends ChatEvent {
  constructor(
    /** Whose sockets are told. */
    readonly people: number[],
    readonly news: News,
  ) {
    super();
  }
}

export class MessageEdited extends ChatNews<MessageEditedDto> {}
export class MessageRemoved extends ChatNews<MessageDeletedDto> {}
export class MessagesRead extends ChatNews<ReadReceiptDto> {}
export class TypingChanged extends ChatNews<TypingIndicatorDto> {}
