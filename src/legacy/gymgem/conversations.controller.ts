import { applyDecorators, Delete, Get, Injectable, Post, Put, Req, Res } from '@nestjs/common';
import { ApiConsumes, ApiExcludeController, ApiResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProfileNotFound } from '../../accounts/accounts.errors.js';
import { ProfilesService } from '../../accounts/profiles.service.js';
import { AttachmentsController } from '../../chat/chat.controller.js';
import { ConversationNotFound } from '../../chat/chat.errors.js';
import { ConversationsService } from '../../chat/conversations.service.js';
import { type MessageDto, SendMessageDto } from '../../chat/dto/message.dto.js';
import { MessagesService } from '../../chat/messages.service.js';
import { Uploads } from '../../chat/uploads.js';
import { CurrentActor, EVERYONE } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { Idempotency, type IdempotencyKey } from '../../common/http/idempotency.js';
import { TakesFiles } from '../../common/http/multipart.js';
import { Body, Query } from '../../common/http/validation.js';
import { Config } from '../../config/config.js';
import { UserNotFound } from '../../people/people.errors.js';
import { Refusal, type Texts } from '../wire/refusal.js';
import { LegacyController, LegacyId, Wire } from '../wire/route.js';
import {
  GymgemConversationDto,
  GymgemConversationsQuery,
  GymgemMessageDto,
  GymgemMessagesDto,
  GymgemPageQuery,
  GymgemStartDto,
  GymgemStartedDto,
  GymgemTitleDto,
  GymgemWebConversationsDto,
  GymgemWebConversationsQuery,
  GymgemWebMessageDto,
  GymgemWebMessagesDto,
  GymgemWebStartDto,
} from './gymgem.dto.js';
import {
  accountId,
  conversationWire,
  type IdOf,
  messageWire,
  pageWire,
  type Parties,
  partyOf,
  personId,
  startedWire,
  webConversationWire,
  webMessageWire,
} from './gymgem.wire.js';

const [PAGE, LARGEST_PAGE] = [50, 500];
const NOT_FOUND = 'Conversation not found';
const IdOfConversation = () => LegacyId('id', NOT_FOUND);
const START_TEXTS: Texts = [
  [UserNotFound, 404, 'Account not found'],
  [ProfileNotFound, 404, 'Account not found'],
];

/** What both bases do in the same way. */
@Injectable()
export class GymgemConversations {
  constructor(
    private readonly conversations: ConversationsService,
    private readonly messages: MessagesService,
    private readonly uploads: Uploads,
    private readonly config: Config,
  ) {}

  /** The people of these conversations. */
  async parties(actor: Actor, conversationIds: number[]): Promise<Parties> {
    const found = await this.conversations.parties(actor, conversationIds);
    return new Map(found.map((party) => [party.id, party]));
  }

  async get(actor: Actor, id: number, idOf: IdOf): Promise<GymgemConversationDto> {
    await this.requirePart(actor, id);
    const conversation = await this.conversations.get(actor, id);
    return conversationWire(conversation, await this.parties(actor, [id]), idOf);
  }

  async update(actor: Actor, id: number, changes: GymgemTitleDto, idOf: IdOf): Promise<GymgemConversationDto> {
    await this.requirePart(actor, id);
    const conversation = await this.conversations.update(actor, id, changes);
    return conversationWire(conversation, await this.parties(actor, [id]), idOf);
  }

  async leave(actor: Actor, id: number): Promise<void> {
    await this.requirePart(actor, id);
    await this.conversations.leave(actor, id);
  }

  async start(actor: Actor, otherId: number, reply: FastifyReply, idOf: IdOf): Promise<GymgemStartedDto> {
    const { conversation, is_new } = await this.conversations.start(actor, otherId);
    void reply.status(is_new ? 201 : 200);
    return startedWire(conversation, await this.parties(actor, [conversation.id]), idOf);
  }

  /** @throws Refusal 403, 404 */
  async requirePart(actor: Actor, id: number): Promise<void> {
    await this.conversations.requirePart(actor, id).catch((error: unknown) => {
      if (!(error instanceof ConversationNotFound)) throw error;
      if (error.isOfOthers) throw new Refusal(403, 'You are not a participant in this conversation');
      throw new Refusal(404, NOT_FOUND);
    });
  }

  async send(
    actor: Actor,
    id: number,
    { content = null }: { content?: string | null },
    key: IdempotencyKey | null,
    request: FastifyRequest,
  ): Promise<[MessageDto, Parties]> {
    await this.requirePart(actor, id);
    const message = request.isMultipart()
      ? await this.uploads.send(actor, id, request, key)
      : await this.messages.send(actor, id, content, null, key);
    return [message, await this.parties(actor, [id])];
  }

  /** Whole addresses of the pages of what was asked for. */
  addresses({ protocol, host, url }: FastifyRequest): (page: number) => string {
    const [path, query] = url.split('?', 2);
    const base = this.config.PUBLIC_URL ? this.config.public_url : `${protocol}://${host}`;
    return (page) => {
      const parameters = new URLSearchParams(query);
      parameters.set('page', String(page));
      return `${base}${path}?${parameters.toString()}`;
    };
  }
}

const numbered = ({ page, page_size: size }: GymgemPageQuery) => ({
  page,
  size: Math.min(size || PAGE, LARGEST_PAGE),
});

const LIST = { summary: 'Your conversations, the last active first', roles: EVERYONE };
const Start = () =>
  applyDecorators(
    Wire({
      summary: 'Start a conversation (201), or find the one that is there (200)',
      ...{ roles: EVERYONE, status: 201, answer: GymgemStartedDto, texts: START_TEXTS },
    }),
    ApiResponse({ status: 200, description: 'The conversation that was there.', type: GymgemStartedDto }),
  );
const SEND = { summary: 'Write, as JSON or a form with a file', roles: EVERYONE, status: 201 };

/** What both versions of the client ask in the same words. (Exported for the plugin that describes controllers.) */
export abstract class GymgemConversationRoutes {
  /** The numbers by which this version knows people. */
  protected abstract readonly idOf: IdOf;

  constructor(protected readonly common: GymgemConversations) {}

  @Get(':id')
  @Wire({ summary: 'A conversation', roles: EVERYONE, answer: GymgemConversationDto })
  get(@CurrentActor() actor: Actor, @IdOfConversation() id: number): Promise<GymgemConversationDto> {
    return this.common.get(actor, id, this.idOf);
  }

  @Put(':id')
  @Wire({ summary: 'Give it a title of your own', roles: EVERYONE, answer: GymgemConversationDto })
  update(
    @CurrentActor() actor: Actor,
    @IdOfConversation() id: number,
    @Body() body: GymgemTitleDto,
  ): Promise<GymgemConversationDto> {
    return this.common.update(actor, id, body, this.idOf);
  }

  @Delete(':id')
  @Wire({ summary: 'Leave it', roles: EVERYONE, status: 204 })
  leave(@CurrentActor() actor: Actor, @IdOfConversation() id: number): Promise<void> {
    return this.common.leave(actor, id);
  }
}

/** Conversations of two. */
@LegacyController('gymgem', 'api/chat/conversations')
export class GymgemChatController extends GymgemConversationRoutes {
  protected readonly idOf = accountId;

  constructor(
    common: GymgemConversations,
    private readonly conversations: ConversationsService,
    private readonly messages: MessagesService,
  ) {
    super(common);
  }

  @Get()
  @Wire({ ...LIST, answer: [GymgemConversationDto] })
  async list(@CurrentActor() actor: Actor, @Query() query: GymgemConversationsQuery): Promise<GymgemConversationDto[]> {
    const conversations = await (await this.conversations.listNumbered(actor, query)).items();
    const parties = await this.common.parties(
      actor,
      conversations.map(({ id }) => id),
    );
    return conversations.map((conversation) => conversationWire(conversation, parties, accountId));
  }

  @Post('start')
  @Start()
  start(
    @CurrentActor() actor: Actor,
    @Body() { user2 }: GymgemStartDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<GymgemStartedDto> {
    return this.common.start(actor, user2, reply, accountId);
  }

  @Get(':id/messages')
  @Wire({ summary: 'Its messages, the oldest first', roles: EVERYONE, answer: GymgemMessagesDto })
  async listMessages(
    @CurrentActor() actor: Actor,
    @IdOfConversation() id: number,
    @Query() query: GymgemPageQuery,
    @Req() request: FastifyRequest,
  ): Promise<GymgemMessagesDto> {
    await this.common.requirePart(actor, id);
    const page = await this.messages.listNumbered(actor, id, numbered(query));
    const parties = await this.common.parties(actor, [id]);
    const messages = (await page.items()).map((message) => messageWire(message, parties));
    return pageWire(page, this.common.addresses(request), messages);
  }

  @Post(':id/send_message')
  @Wire({ ...SEND, answer: GymgemMessageDto })
  @ApiConsumes('application/json', 'multipart/form-data')
  @TakesFiles()
  async send(
    @CurrentActor() actor: Actor,
    @IdOfConversation() id: number,
    @Body() body: SendMessageDto,
    @Idempotency() key: IdempotencyKey | null,
    @Req() request: FastifyRequest,
  ): Promise<GymgemMessageDto> {
    return messageWire(...(await this.common.send(actor, id, body, key, request)));
  }
}

/** The same for later versions of the client, which know people by their person ids. */
@LegacyController('gymgem', 'gymgem-web/api/chat/conversations')
export class GymgemWebChatController extends GymgemConversationRoutes {
  protected readonly idOf = personId;

  constructor(
    common: GymgemConversations,
    private readonly conversations: ConversationsService,
    private readonly messages: MessagesService,
    private readonly profiles: ProfilesService,
  ) {
    super(common);
  }

  @Get()
  @Wire({ ...LIST, answer: GymgemWebConversationsDto })
  async list(
    @CurrentActor() actor: Actor,
    @Query() { search, ...query }: GymgemWebConversationsQuery,
    @Req() request: FastifyRequest,
  ): Promise<GymgemWebConversationsDto> {
    const page = await this.conversations.listNumbered(actor, { ...numbered(query), search });
    const conversations = await page.items();
    const parties = await this.common.parties(
      actor,
      conversations.map(({ id }) => id),
    );
    const shown = conversations.map((conversation) =>
      webConversationWire(conversation, parties, partyOf(parties, conversation.other)),
    );
    return pageWire(page, this.common.addresses(request), shown);
  }

  @Post('start')
  @Start()
  async start(
    @CurrentActor() actor: Actor,
    @Body() { user2, target_user_id }: GymgemWebStartDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<GymgemStartedDto> {
    const person = user2 ?? target_user_id;
    if (person === undefined) throw new Refusal(400, 'user2 is required');
    const account = person > 0 ? await this.profiles.holderOf(person) : -person;
    return this.common.start(actor, account, reply, personId);
  }

  @Get(':id/messages')
  @Wire({
    summary: 'Its messages, the oldest first: the first page has the newest, the next one goes back in time',
    roles: EVERYONE,
    answer: GymgemWebMessagesDto,
  })
  async listMessages(
    @CurrentActor() actor: Actor,
    @IdOfConversation() id: number,
    @Query() query: GymgemPageQuery,
    @Req() request: FastifyRequest,
  ): Promise<GymgemWebMessagesDto> {
    await this.common.requirePart(actor, id);
    const page = await this.messages.listNumbered(actor, id, { ...numbered(query), from_newest: true });
    const parties = await this.common.parties(actor, [id]);
    const data = (await page.items()).map((message) => webMessageWire(message, parties));
    const owner = personId(parties.get(actor.user_id)!);
    return pageWire(page, this.common.addresses(request), { owner, data });
  }

  @Post(':id/send_message')
  @Wire({ ...SEND, answer: GymgemWebMessageDto })
  @ApiConsumes('application/json', 'multipart/form-data')
  @TakesFiles()
  async send(
    @CurrentActor() actor: Actor,
    @IdOfConversation() id: number,
    @Body() body: SendMessageDto,
    @Idempotency() key: IdempotencyKey | null,
    @Req() request: FastifyRequest,
  ): Promise<GymgemWebMessageDto> {
    return webMessageWire(...(await this.common.send(actor, id, body, key, request)));
  }
}

/** Files at the address that these clients make of their base and the path in a message. */
@ApiExcludeController()
@LegacyController('gymgem', 'gymgem-web/api/v1/chat/attachments')
export class GymgemWebAttachmentsController extends AttachmentsController {}
