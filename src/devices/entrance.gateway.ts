import { ConnectedSocket, WebSocketServer } from '@nestjs/websockets';
import type { Namespace } from 'socket.io';
import { CurrentActor } from '../common/actor/access.js';
import type { DeviceActor } from '../common/actor/actor.js';
import { keyOfMessage, REPEATABLE_ERRORS } from '../common/http/idempotency.js';
import type { RepeatableDto } from '../common/http/idempotency.dto.js';
import { MessageBody } from '../common/http/validation.js';
import { type AppSocket, Gateway, Message, type Welcoming } from '../common/ws/gateway.js';
import { NothingDto } from '../common/ws/messages.dto.js';
import { AccessService } from './access.service.js';
import { ENTRANCE, logNotTold, READER, tellConsoles, toldIn } from './device-rooms.js';
import { AccessDto, type AskAccessDto } from './dto/access.dto.js';
import { TemplatePageDto, ToldDto, UserFoundDto, type UserSeenDto } from './dto/device-messages.dto.js';
import { EnrolmentsService, readerOf } from './enrolments.service.js';
import { FingerprintsService } from './fingerprints.service.js';

/** What is kept of a reader's socket between its messages. */
interface ReaderState {
  /** The last member of the page of templates before. */
  templates_after?: number;
}
const readerStateOf = (socket: AppSocket): ReaderState => socket.data as ReaderState;

/** Of `/devices`: readers and turnstiles ask who may come in, and know members by the templates that they download. */
@Gateway('/devices')
export class EntranceGateway implements Partial<Welcoming> {
  @WebSocketServer()
  private readonly namespace: Namespace;

  constructor(
    private readonly access: AccessService,
    private readonly enrolments: EnrolmentsService,
    private readonly fingerprints: FingerprintsService,
  ) {}

  /** A page may have been lost with the connection: the reader gets all of them again. */
  onReturned(socket: AppSocket): void {
    readerStateOf(socket).templates_after = undefined;
  }

  @Message('user_found', {
    summary:
      'From a reader or turnstile: this is at the door. Answers whether it opens; the consoles see it too. After ten ' +
      'unknown codes in a minute it is refused for some seconds (too_many_requests)',
    roles: ENTRANCE,
    payload: UserFoundDto,
    answer: { event: 'access', payload: AccessDto },
    errors: REPEATABLE_ERRORS,
  })
  async found(
    @CurrentActor() actor: DeviceActor,
    @ConnectedSocket() socket: AppSocket,
    @MessageBody() body: UserFoundDto,
  ): Promise<AccessDto> {
    const decision = await this.decide(actor, body, 'user_found');
    // The door does not wait until all servers have said which consoles they have.
    void this.tell(actor, socket, 'user_found', decision, body).catch(logNotTold);
    return decision;
  }

  @Message('user_not_found', {
    summary: 'From a reader: a finger that it does not know; goes on to the consoles',
    roles: ENTRANCE,
    answer: { event: 'told', payload: ToldDto },
  })
  async notFound(@CurrentActor() actor: DeviceActor, @ConnectedSocket() socket: AppSocket): Promise<ToldDto> {
    const decision = await this.decide(actor, {}, 'user_not_found');
    return toldIn(this.namespace, await this.tell(actor, socket, 'user_not_found', decision));
  }

  @Message('download_templates', {
    summary: 'From a reader: the next page of the templates of its gym, at most 100 members',
    roles: READER,
    answer: { event: 'template_data_set', payload: TemplatePageDto },
    also: [{ event: 'download_templates_completed', payload: NothingDto }],
  })
  async download(@CurrentActor() actor: DeviceActor, @ConnectedSocket() socket: AppSocket): Promise<TemplatePageDto> {
    const state = readerStateOf(socket);
    const page = await this.fingerprints.pageOfTemplates(actor, state.templates_after ?? 0);
    state.templates_after = page.has_more ? page.data.at(-1)!.id : undefined;
    // After the page, which is sent when this has returned.
    if (!page.has_more) setImmediate(() => socket.emit('download_templates_completed', {}));
    return page;
  }

  private decide(actor: DeviceActor, body: AskAccessDto & RepeatableDto, event: string): Promise<AccessDto> {
    return this.access.decide(actor, body, keyOfMessage(`/devices ${event}`, body));
  }

  /** @returns the rooms that were told */
  private async tell(
    actor: DeviceActor,
    socket: AppSocket,
    event: string,
    { allowed, reason, user }: AccessDto,
    { user_id: readId }: AskAccessDto = {},
  ): Promise<string[]> {
    const enrolment = await this.enrolments.ofReader(readerOf(socket.id, actor));
    const seen: UserSeenDto = { user_id: user?.id ?? null, read_user_id: readId ?? null, allowed, reason, user };
    return tellConsoles(this.namespace, enrolment, actor, event, seen);
  }
}
