import { ConnectedSocket, type OnGatewayDisconnect, WebSocketServer } from '@nestjs/websockets';
import type { Namespace } from 'socket.io';
import { CurrentActor } from '../common/actor/access.js';
import { type Actor, DeviceActor, type Principal } from '../common/actor/actor.js';
import { DESK } from '../common/actor/roles.js';
import { OtherGym } from '../common/errors/common.errors.js';
import type { DomainError } from '../common/errors/domain-error.js';
import { MessageBody } from '../common/http/validation.js';
import { type AppSocket, Gateway, Message, socketsIn, type Welcoming } from '../common/ws/gateway.js';
import { NothingDto, type RefusalDto } from '../common/ws/messages.dto.js';
import { Database } from '../database/database.js';
import { requirePerson } from '../people/people.js';
import { UserNotFound } from '../people/people.errors.js';
import { logNotTold, READER, readersRoom, tellConsoles, toldIn } from './device-rooms.js';
import {
  ConsoleGone,
  DeviceBusy,
  DeviceGone,
  NoDeviceConnected,
  NoMemberChosen,
  OtherMemberChosen,
} from './devices.errors.js';
import {
  CapturedDto,
  ChooseUserDto,
  ConsoleConnectedDto,
  FingerprintStoredDto,
  ReaderConnectedDto,
  StartEnrollmentDto,
  StoreFingerprintDto,
  ToldDto,
} from './dto/device-messages.dto.js';
import { type Enrolment, EnrolmentsService, type Reader, readerOf } from './enrolments.service.js';
import { FingerprintsService } from './fingerprints.service.js';

/** Of `/devices`: a console chooses a member and a reader, and the reader stores the fingers of that member. */
@Gateway('/devices')
export class EnrolmentGateway implements Welcoming, OnGatewayDisconnect {
  @WebSocketServer()
  private readonly namespace: Namespace;

  constructor(
    private readonly db: Database,
    private readonly enrolments: EnrolmentsService,
    private readonly fingerprints: FingerprintsService,
  ) {}

  onSignedIn(socket: AppSocket, principal: Principal): Promise<void> {
    return this.onReturned(socket, principal);
  }

  async onReturned(socket: AppSocket, principal: Principal): Promise<void> {
    if (!socket.connected || !(principal instanceof DeviceActor) || !principal.is(...READER)) return;
    this.tellConsolesOfEnd(await this.enrolments.readerArrived(readerOf(socket.id, principal)));
    await this.clearIfGone(socket);
  }

  handleDisconnect(socket: AppSocket): Promise<void> {
    return this.clear(socket).catch(logNotTold);
  }

  @Message('fingerprint_connected', {
    summary: 'From a console: is a reader of the gym connected?',
    roles: DESK,
    payload: ConsoleConnectedDto,
    answer: { event: 'fingerprint_connection_stablished', payload: ReaderConnectedDto },
    errors: [OtherGym, NoDeviceConnected],
  })
  async findReader(
    @CurrentActor() actor: Actor,
    @MessageBody() body: ConsoleConnectedDto,
  ): Promise<ReaderConnectedDto> {
    const gymId = actor.gym(body.gym_id);
    if ((await socketsIn(this.namespace, readersRoom(gymId))).length === 0) throw new NoDeviceConnected();
    return { gym_id: gymId };
  }

  @Message('user', {
    summary:
      'From a console: enrol this member, on a reader that is free; it is acknowledged. From a reader: this is who ' +
      'puts the finger on; answered',
    roles: [...DESK, ...READER],
    payload: ChooseUserDto,
    answer: { event: 'start_enrollment', payload: StartEnrollmentDto },
    acknowledged: NothingDto,
    deviceRefusal: 'user_error',
    errors: [UserNotFound, NoDeviceConnected, DeviceBusy, OtherMemberChosen],
  })
  async choose(
    @CurrentActor() actor: Principal,
    @ConnectedSocket() socket: AppSocket,
    @MessageBody() body: ChooseUserDto,
  ): Promise<StartEnrollmentDto | undefined> {
    if (!(actor instanceof DeviceActor)) return this.sendToFreeReader(actor, socket, body);
    await this.enrolments.pause(readerOf(socket.id, actor));
    const member = await this.fingerprints.requireMember(actor, body.user_id);
    await this.enrolments.start(readerOf(socket.id, actor), member.user_id);
    await this.clearIfGone(socket);
    const { user_id, full_name } = member;
    const enrolment = await this.enrolments.ofReader(readerOf(socket.id, actor));
    tellConsoles(this.namespace, enrolment, actor, 'user_established', { user_id, full_name });
    return member;
  }

  @Message('store_fingerprint', {
    summary: 'From a reader: a finger of the member it was told',
    roles: READER,
    payload: StoreFingerprintDto,
    answer: { event: 'fingerprint_stored', payload: FingerprintStoredDto },
    refusal: 'store_error',
    errors: [NoMemberChosen, UserNotFound, OtherMemberChosen],
  })
  async store(
    @CurrentActor() actor: DeviceActor,
    @ConnectedSocket() socket: AppSocket,
    @MessageBody() { fingerprint_data, finger }: StoreFingerprintDto,
  ): Promise<FingerprintStoredDto> {
    const userId = await this.enrolments.store(readerOf(socket.id, actor), (tx, id) =>
      this.fingerprints.store(tx, actor, id, finger, fingerprint_data),
    );
    return { user_id: userId, message: `Fingerprint ${finger} stored` };
  }

  @Message('finger1_captured', {
    summary: 'From a reader: now the second finger; goes on to the console',
    roles: READER,
    payload: CapturedDto,
    answer: { event: 'told', payload: ToldDto },
  })
  async firstCaptured(
    @CurrentActor() actor: DeviceActor,
    @ConnectedSocket() socket: AppSocket,
    @MessageBody() body: CapturedDto,
  ): Promise<ToldDto> {
    const enrolment = await this.enrolments.ofReader(readerOf(socket.id, actor));
    return this.tellStep(actor, enrolment, 'finger1_captured', body);
  }

  @Message('enrollment_completed', {
    summary: 'From a reader: done; goes on to the console',
    roles: READER,
    payload: CapturedDto,
    answer: { event: 'told', payload: ToldDto },
  })
  async complete(
    @CurrentActor() actor: DeviceActor,
    @ConnectedSocket() socket: AppSocket,
    @MessageBody() body: CapturedDto,
  ): Promise<ToldDto> {
    const enrolment = await this.enrolments.finish(readerOf(socket.id, actor));
    return this.tellStep(actor, enrolment, 'enrollment_completed', body);
  }

  /** Whom it is about the enrolment knows; if there is none any more, what the reader says is told. */
  private tellStep(
    actor: DeviceActor,
    enrolment: Enrolment | undefined,
    event: string,
    said: CapturedDto,
  ): Promise<ToldDto> {
    const about = { user_id: enrolment?.user_id ?? said.user_id ?? null };
    return toldIn(this.namespace, tellConsoles(this.namespace, enrolment, actor, event, about));
  }

  /** Sends the member of a console to a reader that is free. */
  private async sendToFreeReader(
    actor: Actor,
    socket: AppSocket,
    { user_id, device_id }: ChooseUserDto,
  ): Promise<undefined> {
    const { gym_id, role } = await requirePerson(this.db, actor, user_id);
    // A reader enrols members alone, and would wait for this one in vain.
    if (role !== 'user') throw new UserNotFound();
    const connected: Reader[] = [];
    for (const { id, data } of await socketsIn(this.namespace, readersRoom(gym_id))) {
      const { principal } = data as { principal?: DeviceActor };
      if (principal && (device_id ?? principal.device_id) === principal.device_id)
        connected.push(readerOf(id, principal));
    }
    if (connected.length === 0) throw new NoDeviceConnected();
    for (const reader of connected) {
      if (!(await this.enrolments.giveToConsole(reader, socket.id, user_id))) continue;
      this.tellReadersOfEnd(await this.enrolments.consoleLeft(socket.id, reader.reader));
      this.namespace.to(reader.socket_id).emit('user', { user_id });
      await this.clearIfGone(socket);
      return undefined;
    }
    throw new DeviceBusy();
  }

  /**
   * A connection that ends clears away what it has written down. One that ended while it was being written has cleared
   * too early, and does it again.
   */
  private async clearIfGone(socket: AppSocket): Promise<void> {
    if (!socket.connected) await this.clear(socket);
  }

  private async clear(socket: AppSocket): Promise<void> {
    const { principal } = socket.data;
    if (!principal) return;
    if (principal instanceof DeviceActor) {
      if (!principal.is(...READER)) return;
      this.tellConsolesOfEnd(await this.enrolments.readerLeft(readerOf(socket.id, principal)));
    } else if (principal.role !== 'user') this.tellReadersOfEnd(await this.enrolments.consoleLeft(socket.id));
  }

  private tellConsolesOfEnd(ended: Enrolment[]): void {
    for (const { console_socket } of ended) if (console_socket) this.tell(console_socket, new DeviceGone());
  }

  private tellReadersOfEnd(ended: Enrolment[]): void {
    for (const { reader_socket } of ended) this.tell(reader_socket, new ConsoleGone());
  }

  private tell(room: string, error: DomainError): void {
    this.namespace.to(room).emit('error', { code: error.kind.code, error: error.message } satisfies RefusalDto);
  }
}
