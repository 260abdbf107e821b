import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { Injectable } from '@nestjs/common';
import type { Namespace } from 'socket.io';
import type { Actor, DeviceActor, ScopedGymId } from '../common/actor/actor.js';
import { DESK } from '../common/actor/roles.js';
import { socketsIn } from '../common/ws/gateway.js';
import { Database } from '../database/database.js';
import { everyGym, sql } from '../database/sql.js';
import { HourNotBooked } from '../slots/slots.errors.js';
import { SlotsService } from '../slots/slots.service.js';
import { DEVICE_COLUMNS } from './devices.sql.js';
import { BoardNotConnected, BoardTimedOut, DeviceNotFound } from './devices.errors.js';
import type { BoardUploadDto } from './dto/device-messages.dto.js';
import type { DeviceDto, SerialLineDto, SerialOutputDto, UploadResultDto } from './dto/device.dto.js';

const BOARD_LEFT = 'board_left';
/** Characters that are kept of what a board says, and answered of what an upload printed. */
const KEPT_CHARACTERS = 10_000;
const MOST_OUTPUT = 200_000;

/** The rooms of those who read a board: staff, and each member on their own, who is addressed only in their hour. */
const staffRoom = (deviceId: number): string => `serial:${deviceId}:staff`;
const memberRoom = (deviceId: number, userId: number): string => `serial:${deviceId}:user:${userId}`;

interface Board {
  id: number;
  gym_id: ScopedGymId;
  device_number: number;
}

/** Lab boards: the member who has the current hour runs code on them and reads what they say; staff, too. */
@Injectable()
export class BoardsService {
  /** How long a board may take to run what it was sent. */
  patienceMs = 60_000;
  private namespace: Namespace;
  /** Connections of boards that ended, by their ids. */
  private readonly endedConnections = new EventEmitter().setMaxListeners(0);

  constructor(
    private readonly db: Database,
    private readonly slots: SlotsService,
  ) {}

  /** To be called when the namespace is there in which boards connect. */
  useNamespace(namespace: Namespace): void {
    this.namespace = namespace;
    namespace.on(BOARD_LEFT, (connectionId: string) => this.endedConnections.emit(connectionId));
  }

  /** The connection has ended: uploads that wait for its answer stop waiting, on all servers. */
  boardLeft(connectionId: string): void {
    this.endedConnections.emit(connectionId);
    this.namespace.serverSideEmit(BOARD_LEFT, connectionId);
  }

  /** Those of a gym that are not revoked, by their numbers, which may leave some out. */
  list(gymId: ScopedGymId): Promise<DeviceDto[]> {
    return this.db.query(sql`
      SELECT ${DEVICE_COLUMNS} FROM devices d WHERE d.gym_id = ${gymId} AND d.kind = 'board' AND d.is_active
      ORDER BY d.device_number`);
  }

  /**
   * Sends code to the board and waits for what comes of it.
   * @throws DeviceNotFound, HourNotBooked, BoardNotConnected, BoardTimedOut
   */
  async upload(actor: Actor, deviceNumber: number, code: string, gymId?: number): Promise<UploadResultDto> {
    const board = await this.requireBoard(actor, deviceNumber, gymId);
    // One that reconnects may have two connections for a moment: the newest is the one that lives.
    const connections = await socketsIn(this.namespace, `device:${board.id}`);
    const connection = connections.toSorted((one, other) => one.handshake.issued - other.handshake.issued).at(-1);
    if (!connection) throw new BoardNotConnected();
    const done = new AbortController();
    const left = once(this.endedConnections, connection.id, { signal: done.signal }).then(() => {
      throw new BoardNotConnected('Its connection ended before it answered.');
    });
    try {
      return await Promise.race([this.runOnBoard(connection.id, code), left]);
    } finally {
      done.abort();
    }
  }

  /** What the board has said last. @throws DeviceNotFound, HourNotBooked */
  async lastOutput(actor: Actor, deviceNumber: number, gymId?: number): Promise<SerialOutputDto> {
    const { id, device_number } = await this.requireBoard(actor, deviceNumber, gymId);
    const [known] = await this.db.query<Omit<SerialOutputDto, 'device_number'>>(
      everyGym`SELECT output, updated_at FROM board_outputs WHERE device_id = ${id}`,
    );
    return { device_number, output: known?.output ?? '', updated_at: known?.updated_at ?? null };
  }

  /** The room in which the actor gets what the board says from now on. @throws DeviceNotFound, HourNotBooked */
  async roomFor(actor: Actor, deviceNumber: number, gymId?: number): Promise<string> {
    const { id } = await this.requireBoard(actor, deviceNumber, gymId);
    return actor.is(...DESK) ? staffRoom(id) : memberRoom(id, actor.user_id);
  }

  /** The board has said something: it is kept, and told to those who may read it now. */
  async keepAndTell(board: DeviceActor, output: string): Promise<void> {
    const id = board.device_id!;
    const [kept] = await this.db.change<{ device_number: number; updated_at: Date }>(everyGym`
      WITH kept AS (
        INSERT INTO board_outputs AS o (device_id, output, updated_at)
          VALUES (${id}, right(${output}, ${KEPT_CHARACTERS}), moment())
        ON CONFLICT (device_id) DO UPDATE SET output = right(o.output || excluded.output, ${KEPT_CHARACTERS}),
          -- Never the same twice: it tells a reader which lines are in what they have read.
          updated_at = greatest(moment(), o.updated_at + interval '1 millisecond')
        RETURNING updated_at)
      SELECT d.device_number, kept.updated_at FROM devices d, kept WHERE d.id = ${id}`);
    const { device_number, updated_at } = kept!;
    const line: SerialLineDto = { device_number, output, timestamp: updated_at.toISOString() };
    const { user_ids } = await this.slots.holdersNow(board.gym());
    const members = user_ids.map((userId) => memberRoom(id, userId));
    this.namespace.to([staffRoom(id), ...members]).emit('serial_output', line);
  }

  /** @throws BoardNotConnected, BoardTimedOut */
  private async runOnBoard(connectionId: string, code: string): Promise<UploadResultDto> {
    const upload: BoardUploadDto = { upload_id: randomUUID(), code };
    const local = this.namespace.sockets.get(connectionId)?.timeout(this.patienceMs);
    const answers = await (
      local
        ? local.emitWithAck('upload', upload).then((answer: unknown) => [answer])
        : (this.namespace.to(connectionId).timeout(this.patienceMs).emitWithAck('upload', upload) as Promise<unknown[]>)
    ).catch(() => {
      throw new BoardTimedOut(`It did not answer within ${this.patienceMs / 1000} s.`);
    });
    if (answers.length === 0) throw new BoardNotConnected();
    return resultOf(answers[0]);
  }

  /** @throws DeviceNotFound, HourNotBooked */
  private async requireBoard(actor: Actor, deviceNumber: number, requestedGymId?: number): Promise<Board> {
    const gymId = actor.gym(requestedGymId);
    if (!actor.is(...DESK)) {
      const { hour, user_ids } = await this.slots.holdersNow(gymId);
      if (!user_ids.includes(actor.user_id)) {
        throw new HourNotBooked(hour);
      }
    }
    const [board] = await this.db.query<Board>(sql`
      SELECT id, gym_id, device_number FROM devices
      WHERE gym_id = ${gymId} AND device_number = ${deviceNumber} AND kind = 'board' AND is_active`);
    if (!board) throw new DeviceNotFound();
    return board;
  }
}

/** Without half characters (lone surrogates): a board may answer them, or the cut may make one. */
const lastTextOf = (value: unknown): string =>
  typeof value === 'string' ? value.slice(-MOST_OUTPUT).toWellFormed() : '';

/** A board may answer anything. */
function resultOf(answer: unknown): UploadResultDto {
  const { success, output, error } = (answer ?? {}) as Record<string, unknown>;
  return { success: success === true, output: lastTextOf(output), error: lastTextOf(error) || null };
}
