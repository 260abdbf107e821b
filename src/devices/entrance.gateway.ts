import { ConnectedSocket, MessageBody, WebSocketServer } from '@nestjs/websockets';
import type { Namespace } from 'socket.io';
import { CurrentActor } from '../common/actor/access.js';
import type { DeviceActor } from '../common/actor/actor.js';
import { keyOfMessage } from '../common/http/idempotency.js';
import type { RepeatableDto } from '../common/http/idempotency.dto.js';
import { type AppSocket, Gateway, Message } from '../common/ws/gateway.js';
import { AccessService } from './access.service.js';
import { ENTRANCE, logNotTold, READER, tellConsoles } from './device-rooms.js';
import { AccessDto, type AskAccessDto } from './dto/access.dto.js';
import { NothingDto, TemplatePageDto, UserFoundDto } from './dto/device-messages.dto.js';
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
export class EntranceGateway {
  @WebSocketServer()
  private readonly namespace: Namespace;

  constructor(
    private readonly access: AccessService,
    private readonly enrolments: EnrolmentsService,
    private readonly fingerprints: FingerprintsService,
  ) {}

  @Message('user_found', {
    summary: 'From a reader or turnstile: this is at the door. Answers whether it opens; the consoles see it too',
    roles: ENTRANCE,
    payload: UserFoundDto,
    answer: { event: 'access', payload: AccessDto },
  })
  async found(
    @CurrentActor() actor: DeviceActor,
    @ConnectedSocket() socket: AppSocket,
    @MessageBody() body: UserFoundDto,
  ): Promise<AccessDto> {
    return this.decide(actor, socket, body, 'user_found');
  }

  @Message('user_not_found', {
    summary: 'From a reader: a finger that it does not know; goes on to the consoles',
    roles: ENTRANCE,
  })
  async notFound(@CurrentActor() actor: DeviceActor, @ConnectedSocket() socket: AppSocket): Promise<void> {
    await this.decide(actor, socket, {}, 'user_not_found');
  }

  @Message('download_templates', {
    summary: 'From a reader: the next page of the templates of its gym, at most 100 members',
    roles: READER,
    answer: { event: 'template_data_set', payload: TemplatePageDto },
    also: [{ event: 'download_templates_completed', payload: NothingDto }],
  })
  async download(@CurrentActor() actor: DeviceActor, @ConnectedSocket() socket: AppSocket): Promise<TemplatePageDto> {
    const state = readerStateOf(socket);
    const { data, has_more } = await this.fingerprints.pageOfTemplates(actor, state.templates_after ?? 0);
    state.templates_after = has_more ? data.at(-1)!.id : undefined;
    // After the page, which is sent when this has returned.
    if (!has_more) setImmediate(() => socket.emit('download_templates_completed', {}));
    return { data };
  }

  private async decide(
    actor: DeviceActor,
    socket: AppSocket,
    body: AskAccessDto & RepeatableDto,
    event: string,
  ): Promise<AccessDto> {
    const decision = await this.access.decide(actor, body, keyOfMessage(`/devices ${event}`, body));
    const { allowed, reason, user } = decision;
    // The door does not wait until all servers have said which consoles they have.
    const seen = { user_id: user?.id ?? null, allowed, reason, user };
    void this.enrolments
      .ofReader(readerOf(socket.id, actor))
      .then((enrolment) => tellConsoles(this.namespace, enrolment, actor, event, seen))
      .catch(logNotTold);
    return decision;
  }
}
