import { CurrentActor, EVERYONE } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { keyOfMessage, REPEATABLE_ERRORS } from '../common/http/idempotency.js';
import { MessageBody } from '../common/http/validation.js';
import { Gateway, Message } from '../common/ws/gateway.js';
import { ConversationNotFound, MessageDeleted, MessageNotFound, NotSender, PersonNotActive } from './chat.errors.js';
import { ConversationsService } from './conversations.service.js';
import {
  AboutMessage,
  ChatMessageDto,
  EditDto,
  JoinDto,
  MessageDeletedDto,
  MessageEditedDto,
  MessageRefDto,
  ReadReceiptDto,
  SayDto,
  TypingDto,
  WrittenMessageDto,
} from './dto/chat-messages.dto.js';
import { ConversationDto } from './dto/conversation.dto.js';
import { type MessageDto, ReadDto } from './dto/message.dto.js';
import { MessagesService } from './messages.service.js';

const written = (message: MessageDto): WrittenMessageDto => ({ message_id: message.id, ...message });
const told = (event: string, payload: new () => object) => [{ event, payload }];

/**
 * `/chat`: what the two of a conversation do, told to all their devices. Nothing has to be joined: the rooms are those
 * of people. Events come in the order of the messages.
 */
@Gateway('/chat')
export class ChatGateway {
  constructor(
    private readonly conversations: ConversationsService,
    private readonly messages: MessagesService,
  ) {}

  @Message('join', {
    summary: 'Open a conversation: answers what GET /chat/conversations/{conversation_id} does, and marks nothing',
    roles: EVERYONE,
    payload: JoinDto,
    answer: { event: 'joined', payload: ConversationDto },
    errors: [ConversationNotFound],
  })
  join(@CurrentActor() actor: Actor, @MessageBody() body: JoinDto): Promise<ConversationDto> {
    return this.conversations.get(actor, body.conversation_id);
  }

  @Message('message', {
    summary: 'Write; all devices of both are told',
    roles: EVERYONE,
    payload: SayDto,
    acknowledged: WrittenMessageDto,
    also: told('chat_message', ChatMessageDto),
    errors: [ConversationNotFound, PersonNotActive, ...REPEATABLE_ERRORS],
  })
  async say(@CurrentActor() actor: Actor, @MessageBody() body: SayDto): Promise<WrittenMessageDto> {
    const key = keyOfMessage('/chat message', body);
    return written(await this.messages.send(actor, body.conversation_id, body.content, null, key));
  }

  @Message('read', {
    summary: 'Read up to this message, as POST /chat/messages/{message_id}/read',
    roles: EVERYONE,
    payload: MessageRefDto,
    acknowledged: ReadDto,
    also: told('read_receipt', ReadReceiptDto),
    errors: [MessageNotFound],
  })
  read(@CurrentActor() actor: Actor, @MessageBody() body: MessageRefDto): Promise<ReadDto> {
    return this.messages.markRead(actor, body.message_id);
  }

  @Message('typing', {
    summary: 'Typing, or not any more; told to the other, and kept nowhere',
    roles: EVERYONE,
    payload: TypingDto,
    errors: [ConversationNotFound],
  })
  type(@CurrentActor() actor: Actor, @MessageBody() body: TypingDto): Promise<void> {
    return this.messages.setTyping(actor, body.conversation_id, body.is_typing);
  }

  @Message('edit', {
    summary: 'Change what one wrote, as PATCH /chat/messages/{message_id}',
    roles: EVERYONE,
    payload: EditDto,
    acknowledged: WrittenMessageDto,
    also: told('message_edited', MessageEditedDto),
    errors: [MessageNotFound, NotSender, MessageDeleted],
  })
  async edit(@CurrentActor() actor: Actor, @MessageBody() body: EditDto): Promise<WrittenMessageDto> {
    return written(await this.messages.edit(actor, body.message_id, body.new_content));
  }

  @Message('delete', {
    summary: 'Delete what one wrote, as DELETE /chat/messages/{message_id}',
    roles: EVERYONE,
    payload: MessageRefDto,
    acknowledged: AboutMessage,
    also: told('message_deleted', MessageDeletedDto),
    errors: [MessageNotFound, NotSender],
  })
  remove(@CurrentActor() actor: Actor, @MessageBody() body: MessageRefDto): Promise<AboutMessage> {
    return this.messages.remove(actor, body.message_id);
  }
}
