import type { OnGatewayDisconnect, OnGatewayInit } from '@nestjs/websockets';
import { ConnectedSocket, MessageBody, WebSocketServer } from '@nestjs/websockets';
import type { Namespace } from 'socket.io';
import { AuthService } from '../auth/auth.service.js';
import { SessionsService } from '../auth/sessions.service.js';
import { CurrentActor, PUBLIC } from '../common/actor/access.js';
import { type Actor, DeviceActor, type DeviceKind, type Principal } from '../common/actor/actor.js';
import { ActorResolver } from '../common/actor/actor-resolver.js';
import { DESK } from '../common/actor/roles.js';
import { RoleNotAllowed } from '../common/errors/common.errors.js';
import type { DomainError } from '../common/errors/domain-error.js';
import { keyOfMessage } from '../common/http/idempotency.js';
import type { RepeatableDto } from '../common/http/idempotency.dto.js';
import { type AppSocket, Gateway, Message, SocketDoor, socketsIn, type Welcoming } from '../common/ws/gateway.js';
import { RefusalDto } from '../common/ws/messages.dto.js';
import { requirePerson } from '../members/people.js';
import { Database } from '../database/database.js';
import { BoardsService } from './boards.service.js';
import { AccessService } from './access.service.js';
import {
  AlreadySignedIn,
  ConsoleGone,
  DeviceBusy,
  DeviceGone,
  NobodyToEnrol,
  NoDeviceConnected,
} from './devices.errors.js';
import { ReadSerialDto, SerialChunkDto, SerialOutputDto } from './dto/device.dto.js';
import { AccessDto, type AskAccessDto } from './dto/access.dto.js';
import {
  ChooseUserDto,
  ConnectedDto,
  ConsoleConnectedDto,
  DeviceLoginDto,
  FingerprintStoredDto,
  GymRefDto,
  NothingDto,
  StartEnrollmentDto,
  StoreFingerprintDto,
  TemplatePageDto,
  UserFoundDto,
} from './dto/device-messages.dto.js';
import { FingerprintsService } from './fingerprints.service.js';
import { Presence } from './presence.js';

/** Rooms: the readers of a gym, its consoles, and the console that talks with a reader. */
const readers = (gymId: number): string => `readers:${gymId}`;
const consoles = (gymId: number | null): string => `consoles:${gymId ?? 'all'}`;
const partners = (readerSocket: string): string => `with:${readerSocket}`;

const READER: readonly DeviceKind[] = ['fingerprint'];
const ENTRANCE: readonly DeviceKind[] = ['fingerprint', 'qr'];

/** What is kept of a reader's socket between its messages. */
interface ReaderState {
  /** The member whose fingers come next. */
  enrolling?: number;
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
    private readonly actors: ActorResolver,
    private readonly sessions: SessionsService,
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
    this.onReturned(socket, principal);
  }

  onReturned(socket: AppSocket, principal: Principal): void {
    // Its rooms are gone when it is; what is told to a reader must be told before.
    if (!(principal instanceof DeviceActor)) socket.on('disconnecting', () => this.consoleLeaves(socket));
    else if (principal.device_id !== null) this.presence.arrived(principal.device_id);
  }

  async handleDisconnect(socket: AppSocket): Promise<void> {
    const { principal } = socket.data;
    if (!(principal instanceof DeviceActor)) return;
    this.tell(partners(socket.id), new DeviceGone());
    this.namespace.in(partners(socket.id)).socketsLeave(partners(socket.id));
    if (principal.device_id !== null) this.presence.left(principal.device_id);
    if (principal.is('board')) this.boards.leaves(socket.id);
    const { user_id: userId, session_id: only } = principal;
    // The session that staff opened for it ends with it.
    if (userId !== null && only !== null) {
      await this.db.transaction((tx) => this.sessions.end(tx, userId, 'signed_out', { only })).catch(() => undefined);
    }
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
    const { access_token } = await this.auth.login(body.login_data, client);
    const { actor, must_change_password } = await this.actors.resolve({
      headers: { authorization: `Bearer ${access_token}` },
    });
    try {
      if (!actor.is(...DESK) || must_change_password) throw new RoleNotAllowed('A reader is signed in by desk staff.');
      const gymId = actor.gym(body.gym_id);
      const { user_id, session_id } = actor;
      await this.door.enter(socket, new DeviceActor(null, gymId, 'fingerprint', 0, user_id, session_id));
      return { gym_id: gymId, message: 'Connected' };
    } catch (error) {
      const { user_id: userId, session_id: only } = actor;
      await this.db.transaction((tx) => this.sessions.end(tx, userId, 'signed_out', { only }));
      throw error;
    }
  }

  @Message('fingerprint_connected', {
    summary: 'From a console: is a reader of the gym connected?',
    roles: DESK,
    payload: ConsoleConnectedDto,
    answer: { event: 'fingerprint_connection_stablished', payload: GymRefDto },
  })
  async findReader(@CurrentActor() actor: Actor, @MessageBody() body: ConsoleConnectedDto): Promise<GymRefDto> {
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
    stateOf(socket).enrolling = undefined;
    const member = await this.fingerprints.member(actor, body.user_id);
    stateOf(socket).enrolling = member.user_id;
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
    const { enrolling } = stateOf(socket);
    if (enrolling === undefined) throw new NobodyToEnrol();
    await this.fingerprints.store(actor, enrolling, finger, fingerprint_data);
    return { user_id: enrolling, message: `Fingerprint ${finger} stored` };
  }

  @Message('finger1_captured', {
    summary: 'From a reader: now the second finger; goes on to the console',
    roles: READER,
  })
  firstCaptured(@CurrentActor() actor: DeviceActor, @ConnectedSocket() socket: AppSocket): Promise<void> {
    return this.toConsoles(socket, actor, 'finger1_captured', { user_id: stateOf(socket).enrolling ?? null });
  }

  @Message('enrollment_completed', { summary: 'From a reader: done; goes on to the console', roles: READER })
  async complete(@CurrentActor() actor: DeviceActor, @ConnectedSocket() socket: AppSocket): Promise<void> {
    const { enrolling } = stateOf(socket);
    stateOf(socket).enrolling = undefined;
    await this.toConsoles(socket, actor, 'enrollment_completed', { user_id: enrolling ?? null });
    this.namespace.in(partners(socket.id)).socketsLeave(partners(socket.id));
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
    const all = await socketsIn(this.namespace, readers(gym_id));
    const wanted = all.filter(({ data }) => {
      const { principal } = data as { principal?: { device_id: number | null } };
      return device_id === undefined || principal?.device_id === device_id;
    });
    if (wanted.length === 0) throw new NoDeviceConnected();
    for (const reader of wanted) {
      const others = await socketsIn(this.namespace, partners(reader.id));
      if (others.some(({ id }) => id !== socket.id)) continue;
      this.consoleLeaves(socket, reader.id);
      await socket.join(partners(reader.id));
      this.namespace.to(reader.id).emit('user', { user_id });
      return undefined;
    }
    throw new DeviceBusy();
  }

  /** A console that goes, or turns to another reader, leaves the one it talked with. */
  private consoleLeaves(socket: AppSocket, except?: string): void {
    for (const room of socket.rooms) {
      const [kind, reader] = room.split(/:(.*)/s);
      if (kind !== 'with' || reader === except) continue;
      this.tell(reader!, new ConsoleGone());
      void socket.leave(room);
    }
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
    void this.toConsoles(socket, actor, event, { user_id: user?.id ?? null, allowed, reason, user });
    return decision;
  }

  /** To the console that talks with this reader, or else to all of the gym. */
  private async toConsoles(socket: AppSocket, actor: DeviceActor, event: string, payload: object): Promise<void> {
    const partner = await socketsIn(this.namespace, partners(socket.id));
    const rooms = partner.length > 0 ? partners(socket.id) : [consoles(actor.gym_id), consoles(null)];
    this.namespace.to(rooms).emit(event, payload);
  }

  private tell(room: string, error: DomainError): void {
    this.namespace.to(room).emit('error', { code: error.kind.code, error: error.message } satisfies RefusalDto);
  }
}
