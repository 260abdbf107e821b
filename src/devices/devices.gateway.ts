import { Logger } from '@nestjs/common';
import type { OnGatewayDisconnect, OnGatewayInit } from '@nestjs/websockets';
import { ConnectedSocket, MessageBody, WebSocketServer } from '@nestjs/websockets';
import type { Namespace } from 'socket.io';
import { AuthService } from '../auth/auth.service.js';
import { CurrentActor, PUBLIC } from '../common/actor/access.js';
import { type Actor, DeviceActor, type DeviceKind, type Principal } from '../common/actor/actor.js';
import { DESK } from '../common/actor/roles.js';
import type { DomainError } from '../common/errors/domain-error.js';
import { keyOfMessage } from '../common/http/idempotency.js';
import type { RepeatableDto } from '../common/http/idempotency.dto.js';
import { type AppSocket, Gateway, Message, SocketDoor, socketsIn, type Welcoming } from '../common/ws/gateway.js';
import { RefusalDto } from '../common/ws/messages.dto.js';
import { requirePerson } from '../people/people.js';
import { Database } from '../database/database.js';
import { BoardsService } from './boards.service.js';
import { AccessService } from './access.service.js';
import { AlreadySignedIn, ConsoleGone, DeviceBusy, DeviceGone, NoDeviceConnected } from './devices.errors.js';
import { ReadSerialDto, SerialChunkDto, SerialOutputDto } from './dto/device.dto.js';
import { AccessDto, type AskAccessDto } from './dto/access.dto.js';
import {
  ChooseUserDto,
  ConnectedDto,
  ConsoleConnectedDto,
  DeviceLoginDto,
  FingerprintStoredDto,
  ReaderConnectedDto,
  NothingDto,
  StartEnrollmentDto,
  StoreFingerprintDto,
  TemplatePageDto,
  UserFoundDto,
} from './dto/device-messages.dto.js';
import { DevicesService } from './devices.service.js';
import { type Enrolment, EnrolmentsService, type Reader, readerOf } from './enrolments.service.js';
import { FingerprintsService } from './fingerprints.service.js';
import { Presence } from './presence.js';

/** Rooms: the readers of a gym, and its consoles. */
const readers = (gymId: number): string => `readers:${gymId}`;
const consoles = (gymId: number | null): string => `consoles:${gymId ?? 'all'}`;

/** What a console misses because the database is away must not end the server; the reader asks again. */
const notTold = (error: unknown): void =>
  new Logger('Devices').warn(`consoles and readers were not told: ${String(error)}`);

const READER: readonly DeviceKind[] = ['fingerprint'];
const ENTRANCE: readonly DeviceKind[] = ['fingerprint', 'qr'];

/** What is kept of a reader's socket between its messages. */
interface ReaderState {
  /** The last member of the page of templates before. */
  templates_after?: number;
}
const stateOf = (socket: AppSocket): ReaderState => socket.data as ReaderState;

/**
 * `/devices`: readers at the door, and the consoles of the staff that enrol fingers on them. Who talks with whom is kept in
 * Socket.IO's rooms, which reach over all servers.
 */
@Gateway('/devices')
export class DevicesGateway implements Welcoming, OnGatewayInit, OnGatewayDisconnect {
  @WebSocketServer()
  private readonly namespace: Namespace;

  constructor(
    private readonly db: Database,
    private readonly auth: AuthService,
    private readonly devices: DevicesService,
    private readonly enrolments: EnrolmentsService,
    private readonly fingerprints: FingerprintsService,
    private readonly access: AccessService,
    private readonly presence: Presence,
    private readonly boards: BoardsService,
    private readonly door: SocketDoor,
  ) {}

  afterInit(namespace: Namespace): void {
    this.boards.attach(namespace);
  }

  async onSignedIn(socket: AppSocket, principal: Principal): Promise<void> {
    if (principal instanceof DeviceActor) {
      if (principal.is(...READER)) await socket.join(readers(principal.gym_id));
      // A member is here to read a board: doors and fingers are nothing of theirs.
    } else if (principal.role !== 'user') await socket.join(consoles(principal.scope().gym_id));
    await this.onReturned(socket, principal);
  }

  /** What a connection leaves behind is cleared away when it ends: one that has ended already must leave nothing. */
  async onReturned(socket: AppSocket, principal: Principal): Promise<void> {
    if (!socket.connected || !(principal instanceof DeviceActor)) return;
    if (principal.device_id !== null) this.presence.arrived(socket.id, principal.device_id);
    if (principal.is(...READER)) this.tellConsoles(await this.enrolments.arrived(readerOf(socket.id, principal)));
    await this.clearIfGone(socket);
  }

  handleDisconnect(socket: AppSocket): Promise<void> {
    return this.leave(socket).catch(notTold);
  }

  /** One that went while we wrote down what it does has left before that was to be seen. */
  private async clearIfGone(socket: AppSocket): Promise<void> {
    if (!socket.connected) await this.leave(socket);
  }

  private async leave(socket: AppSocket): Promise<void> {
    const { principal } = socket.data;
    if (!principal) return;
    if (principal instanceof DeviceActor) {
      this.presence.left(socket.id);
      if (principal.is('board')) this.boards.leaves(socket.id);
      if (principal.is(...READER)) this.tellConsoles(await this.enrolments.readerLeft(readerOf(socket.id, principal)));
    } else if (principal.role !== 'user') this.tellReaders(await this.enrolments.consoleLeft(socket.id));
  }

  @Message('login', {
    summary: 'From a reader without a key: staff signs it in',
    roles: PUBLIC,
    payload: DeviceLoginDto,
    answer: { event: 'connected', payload: ConnectedDto },
  })
  async login(@ConnectedSocket() socket: AppSocket, @MessageBody() body: DeviceLoginDto): Promise<ConnectedDto> {
    if (socket.data.principal) throw new AlreadySignedIn();
    const client = { ip_address: socket.handshake.address, user_agent: 'fingerprint reader' };
    const person = await this.auth.prove(body.login_data, client);
    const reader = await this.devices.signIn(person, body.gym_id);
    await this.door.enter(socket, reader);
    return { gym_id: reader.gym_id, message: 'Connected' };
  }

  @Message('fingerprint_connected', {
    summary: 'From a console: is a reader of the gym connected?',
    roles: DESK,
    payload: ConsoleConnectedDto,
    answer: { event: 'fingerprint_connection_stablished', payload: ReaderConnectedDto },
  })
  async findReader(
    @CurrentActor() actor: Actor,
    @MessageBody() body: ConsoleConnectedDto,
  ): Promise<ReaderConnectedDto> {
    const gymId = actor.gym(body.gym_id);
    if ((await socketsIn(this.namespace, readers(gymId))).length === 0) throw new NoDeviceConnected();
    return { gym_id: gymId };
  }

  @Message('user', {
    summary:
      'From a console: enrol this member, on a reader that is free. From a reader: this is who puts the finger on',
    roles: [...DESK, ...READER],
    payload: ChooseUserDto,
    answer: { event: 'start_enrollment', payload: StartEnrollmentDto },
    deviceRefusal: 'user_error',
  })
  async choose(
    @CurrentActor() actor: Principal,
    @ConnectedSocket() socket: AppSocket,
    @MessageBody() body: ChooseUserDto,
  ): Promise<StartEnrollmentDto | undefined> {
    if (!(actor instanceof DeviceActor)) return this.passOn(actor, socket, body);
    await this.enrolments.pause(readerOf(socket.id, actor));
    const member = await this.fingerprints.member(actor, body.user_id);
    await this.enrolments.start(readerOf(socket.id, actor), member.user_id);
    await this.clearIfGone(socket);
    await this.toConsoles(socket, actor, 'user_established', { user_id: member.user_id, full_name: member.full_name });
    return member;
  }

  @Message('store_fingerprint', {
    summary: 'From a reader: a finger of the member it was told',
    roles: READER,
    payload: StoreFingerprintDto,
    answer: { event: 'fingerprint_stored', payload: FingerprintStoredDto },
    refusal: 'store_error',
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
  })
  async firstCaptured(@CurrentActor() actor: DeviceActor, @ConnectedSocket() socket: AppSocket): Promise<void> {
    const enrolment = await this.enrolments.current(readerOf(socket.id, actor));
    this.tellOf(enrolment, actor, 'finger1_captured', { user_id: enrolment?.user_id ?? null });
  }

  @Message('enrollment_completed', { summary: 'From a reader: done; goes on to the console', roles: READER })
  async complete(@CurrentActor() actor: DeviceActor, @ConnectedSocket() socket: AppSocket): Promise<void> {
    const enrolment = await this.enrolments.finish(readerOf(socket.id, actor));
    this.tellOf(enrolment, actor, 'enrollment_completed', { user_id: enrolment?.user_id ?? null });
  }

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

  @Message('user_not_found', { summary: 'From a reader: nobody it knows; goes on to the consoles', roles: ENTRANCE })
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
    const state = stateOf(socket);
    const { data, has_more } = await this.fingerprints.page(actor, state.templates_after ?? 0);
    state.templates_after = has_more ? data.at(-1)!.id : undefined;
    // After the page, which is sent when this has returned.
    if (!has_more) setImmediate(() => socket.emit('download_templates_completed', {}));
    return { data };
  }

  @Message('serial_output', {
    summary: 'From a lab board: what it says; told to whoever may read it',
    roles: ['board'],
    payload: SerialChunkDto,
  })
  said(@CurrentActor() actor: DeviceActor, @MessageBody() { output }: SerialChunkDto): Promise<void> {
    return this.boards.said(actor, output);
  }

  @Message('read_serial', {
    summary: 'From whoever has the current hour, or staff: what the board has said, and from now on says',
    roles: [...DESK, 'user'],
    payload: ReadSerialDto,
    answer: { event: 'serial_history', payload: SerialOutputDto },
  })
  async read(
    @CurrentActor() actor: Actor,
    @ConnectedSocket() socket: AppSocket,
    @MessageBody() { device_number, gym_id }: ReadSerialDto,
  ): Promise<SerialOutputDto> {
    await socket.join(await this.boards.roomFor(actor, device_number, gym_id));
    return this.boards.read(actor, device_number, gym_id);
  }

  /** A console's member goes on to a reader that talks with nobody else. */
  private async passOn(actor: Actor, socket: AppSocket, { user_id, device_id }: ChooseUserDto): Promise<undefined> {
    const { gym_id } = await requirePerson(this.db, actor, user_id);
    const connected: Reader[] = [];
    for (const { id, data } of await socketsIn(this.namespace, readers(gym_id))) {
      const { principal } = data as { principal?: DeviceActor };
      if (principal && (device_id ?? principal.device_id) === principal.device_id)
        connected.push(readerOf(id, principal));
    }
    if (connected.length === 0) throw new NoDeviceConnected();
    for (const reader of connected) {
      if (!(await this.enrolments.choose(reader, socket.id, user_id))) continue;
      this.tellReaders(await this.enrolments.consoleLeft(socket.id, reader.reader));
      this.namespace.to(reader.socket_id).emit('user', { user_id });
      await this.clearIfGone(socket);
      return undefined;
    }
    throw new DeviceBusy();
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
    void this.toConsoles(socket, actor, event, { user_id: user?.id ?? null, allowed, reason, user }).catch(notTold);
    return decision;
  }

  private async toConsoles(socket: AppSocket, actor: DeviceActor, event: string, payload: object): Promise<void> {
    this.tellOf(await this.enrolments.current(readerOf(socket.id, actor)), actor, event, payload);
  }

  /** To the console that talks with this reader, or else to all of the gym. */
  private tellOf(enrolment: Enrolment | undefined, { gym_id }: DeviceActor, event: string, payload: object): void {
    const rooms = enrolment?.console_socket ?? [consoles(gym_id), consoles(null)];
    this.namespace.to(rooms).emit(event, payload);
  }

  private tellConsoles(ended: Enrolment[]): void {
    for (const { console_socket } of ended) if (console_socket) this.tell(console_socket, new DeviceGone());
  }

  private tellReaders(ended: Enrolment[]): void {
    for (const { reader_socket } of ended) this.tell(reader_socket, new ConsoleGone());
  }

  private tell(room: string, error: DomainError): void {
    this.namespace.to(room).emit('error', { code: error.kind.code, error: error.message } satisfies RefusalDto);
  }
}
