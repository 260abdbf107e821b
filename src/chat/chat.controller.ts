import { Controller, Delete, Get, Patch, Post, Put, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiConsumes, ApiResponse, ApiTags } from '@nestjs/swagger';
import { create as disposition } from 'content-disposition';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentActor, EVERYONE, PUBLIC } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { ActorResolver } from '../common/actor/actor-resolver.js';
import {
  NotSignedIn,
  PasswordChangeRequired,
  SessionEnded,
  TooLarge,
  MediaTypeNotSupported,
} from '../common/errors/common.errors.js';
import { byteRange } from '../common/http/byte-range.js';
import { Idempotency, type IdempotencyKey } from '../common/http/idempotency.js';
import type { Page } from '../common/http/list.js';
import { TakesFiles } from '../common/http/multipart.js';
import { Operation } from '../common/http/operation.js';
import { IdInPath } from '../common/http/path.js';
import { Body, Query } from '../common/http/validation.js';
import { UserNotFound } from '../people/people.errors.js';
import { AttachmentsService } from './attachments.service.js';
import {
  AttachmentNotFound,
  AttachmentType,
  ConversationNotFound,
  LinkNotValid,
  MessageDeleted,
  MessageNotFound,
  NotSender,
  PersonNotActive,
} from './chat.errors.js';
import { ConversationsService } from './conversations.service.js';
import {
  ConversationDto,
  ConversationListQuery,
  StartConversationDto,
  UpdateConversationDto,
} from './dto/conversation.dto.js';
import { EditMessageDto, LinkQuery, MessageDto, MessageListQuery, ReadDto, SendMessageDto } from './dto/message.dto.js';
import { Links } from './links.js';
import { MessagesService } from './messages.service.js';
import { Uploads } from './uploads.js';

/** `/chat`: conversations of two. Only those two see anything of it, whatever their roles. */
@ApiTags('chat')
@Controller('chat')
export class ChatController {
  constructor(
    private readonly conversations: ConversationsService,
    private readonly messages: MessagesService,
    private readonly uploads: Uploads,
  ) {}

  @Get('conversations')
  @Operation({
    summary: 'Your conversations, the last active first',
    roles: EVERYONE,
    answer: [ConversationDto],
    list: true,
  })
  list(@CurrentActor() actor: Actor, @Query() query: ConversationListQuery): Promise<Page<ConversationDto>> {
    return this.conversations.list(actor, query);
  }

  @Post('conversations/start')
  @Operation({
    summary: 'Start a conversation, or find the one that is there',
    description:
      'With the people of your gym and every trainer; an admin with all. Each pair has one: 201 if it is new, 200 if ' +
      'it was there. If you had left it you are back, without what was written before.',
    roles: EVERYONE,
    status: 201,
    answer: ConversationDto,
    errors: [UserNotFound],
  })
  @ApiResponse({ status: 200, description: 'The conversation that was there.', type: ConversationDto })
  async start(
    @CurrentActor() actor: Actor,
    @Body() { user2 }: StartConversationDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ConversationDto> {
    const { conversation, is_new } = await this.conversations.start(actor, user2);
    void reply.status(is_new ? 201 : 200);
    return conversation;
  }

  @Get('conversations/:conversation_id')
  @Operation({ summary: 'A conversation', roles: EVERYONE, answer: ConversationDto, errors: [ConversationNotFound] })
  get(@CurrentActor() actor: Actor, @IdInPath('conversation_id') conversationId: number): Promise<ConversationDto> {
    return this.conversations.get(actor, conversationId);
  }

  @Put('conversations/:conversation_id')
  @Operation({
    summary: 'Give a conversation a title of your own',
    roles: EVERYONE,
    answer: ConversationDto,
    errors: [ConversationNotFound],
  })
  update(
    @CurrentActor() actor: Actor,
    @IdInPath('conversation_id') conversationId: number,
    @Body() body: UpdateConversationDto,
  ): Promise<ConversationDto> {
    return this.conversations.update(actor, conversationId, body);
  }

  @Delete('conversations/:conversation_id')
  @Operation({
    summary: 'Leave a conversation',
    description:
      'What was written until now is gone for you. When the other writes, or you start it again, the conversation is ' +
      'back with what comes then. When both have left, nothing of it is kept.',
    roles: EVERYONE,
    status: 204,
    errors: [ConversationNotFound],
  })
  leave(@CurrentActor() actor: Actor, @IdInPath('conversation_id', 2) conversationId: number): Promise<void> {
    return this.conversations.leave(actor, conversationId);
  }

  @Get('conversations/:conversation_id/messages')
  @Operation({
    summary: 'The messages of a conversation, the oldest first',
    description:
      '`after_id` goes on behind a message and never skips one; `before_id` gives the last ones before a message ' +
      '(2147483647: the newest). `Link` leads on in the same direction. To read them marks nothing as read.',
    roles: EVERYONE,
    answer: [MessageDto],
    list: true,
    errors: [ConversationNotFound],
  })
  listMessages(
    @CurrentActor() actor: Actor,
    @IdInPath('conversation_id') conversationId: number,
    @Query() query: MessageListQuery,
  ): Promise<Page<MessageDto>> {
    return this.messages.list(actor, conversationId, query);
  }

  @Post('conversations/:conversation_id/send_message')
  @Operation({
    summary: 'Send a message',
    description:
      'As JSON, or as multipart/form-data with an `attachment` of at most 10 MB: a picture, a PDF, audio or video. ' +
      'What it is follows from its bytes.',
    roles: EVERYONE,
    status: 201,
    answer: MessageDto,
    errors: [ConversationNotFound, PersonNotActive, TooLarge, MediaTypeNotSupported, AttachmentType],
    idempotent: true,
    needsBody: true,
  })
  @ApiConsumes('application/json', 'multipart/form-data')
  @TakesFiles()
  send(
    @CurrentActor() actor: Actor,
    @IdInPath('conversation_id') conversationId: number,
    @Body() { content }: SendMessageDto,
    @Idempotency() key: IdempotencyKey | null,
    @Req() request: FastifyRequest,
  ): Promise<MessageDto> {
    return request.isMultipart()
      ? this.uploads.send(actor, conversationId, request, key)
      : this.messages.send(actor, conversationId, content ?? null, null, key);
  }

  @Patch('messages/:message_id')
  @Operation({
    summary: 'Change what one wrote',
    roles: EVERYONE,
    answer: MessageDto,
    errors: [MessageNotFound, NotSender, MessageDeleted],
  })
  edit(
    @CurrentActor() actor: Actor,
    @IdInPath('message_id') messageId: number,
    @Body() { content }: EditMessageDto,
  ): Promise<MessageDto> {
    return this.messages.edit(actor, messageId, content);
  }

  @Delete('messages/:message_id')
  @Operation({
    summary: 'Delete what one wrote, for both',
    description: 'Its place stays, with nothing in it; after a week that is gone, too.',
    roles: EVERYONE,
    status: 204,
    errors: [MessageNotFound, NotSender],
  })
  async remove(@CurrentActor() actor: Actor, @IdInPath('message_id') messageId: number): Promise<void> {
    await this.messages.remove(actor, messageId);
  }

  @Post('messages/:message_id/read')
  @Operation({
    summary: 'Read up to this message',
    description: 'It and all before it; what was read stays read. The answer says how far.',
    roles: EVERYONE,
    answer: ReadDto,
    errors: [MessageNotFound],
  })
  markRead(@CurrentActor() actor: Actor, @IdInPath('message_id', 3) messageId: number): Promise<ReadDto> {
    return this.messages.markRead(actor, messageId);
  }
}

/** The files of messages. */
@ApiTags('chat')
@Controller('chat/attachments')
export class AttachmentsController {
  constructor(
    private readonly attachments: AttachmentsService,
    private readonly links: Links,
    private readonly actors: ActorResolver,
  ) {}

  @Get(':id')
  @Operation({
    summary: 'The file of a message',
    description:
      'For the two of the conversation with their access token, or for all who hold its `url`, which is good for an ' +
      'hour. A `Range` of bytes is answered with 206, with an `If-Range` with 200 and the whole.',
    roles: PUBLIC,
    answer: '*/*',
    errors: [AttachmentNotFound, LinkNotValid, NotSignedIn, SessionEnded, PasswordChangeRequired],
  })
  @ApiResponse({
    status: 206,
    description: 'A part of it.',
    content: { '*/*': { schema: { type: 'string', format: 'binary' } } },
  })
  async read(
    @IdInPath('id', 1, 'The attachment.') id: number,
    @Query() link: LinkQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const isLinked = this.links.isGood(id, link);
    // Beside a token an old link is as good as none.
    if (!isLinked && link.signature !== undefined && !request.headers.authorization) throw new LinkNotValid();
    const reader = isLinked ? null : await this.signedIn(request);
    const file = await this.attachments.find(reader, id);
    // Our files have no validator (ETag, Last-Modified) that an If-Range could name: then it asks for the whole.
    const { range: asked, 'if-range': condition } = request.headers;
    const range = byteRange(condition === undefined ? asked : undefined, file.size);
    void reply.headers({
      'Content-Disposition': disposition(file.name),
      // A browser takes it for nothing else, and runs nothing in it.
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': "default-src 'none'; sandbox",
      // Pages of other origins show it, if they have the link.
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'Cache-Control': 'private, max-age=3600',
      'Accept-Ranges': 'bytes',
      ...(range && { 'Content-Range': `bytes ${range.start}-${range.end}/${file.size}` }),
    });
    void reply.status(range ? 206 : 200);
    const length = range ? range.end - range.start + 1 : file.size;
    return new StreamableFile(await this.attachments.read(file, range ?? undefined), {
      type: file.content_type,
      length,
    });
  }

  /** @throws NotSignedIn, SessionEnded, PasswordChangeRequired */
  private async signedIn(request: FastifyRequest): Promise<Actor> {
    const { actor, must_change_password } = await this.actors.resolve(request);
    if (must_change_password) throw new PasswordChangeRequired();
    return actor;
  }
}
