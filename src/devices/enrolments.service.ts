import { Injectable } from '@nestjs/common';
import type { DeviceActor } from '../common/actor/actor.js';
import { Database, type Transaction, type Unit } from '../database/database.js';
import { everyGym, type Sql, sql } from '../database/sql.js';
import { NoMemberChosen, OtherMemberChosen } from './devices.errors.js';

/**
 * Each step of an enrolment holds the reader for this time. Then it is free, also if its console or server just
 * vanished.
 */
const HOLD_SECONDS = 120;

/** A connection of a reader. */
export interface Reader {
  /** The same for all connections of one device. */
  reader: string;
  socket_id: string;
}

export interface Enrolment {
  reader_socket: string;
  console_socket: string | null;
  user_id: number;
}

export const readerOf = (socketId: string, { device_id }: Pick<DeviceActor, 'device_id'>): Reader => ({
  reader: device_id === null ? socketId : `device:${device_id}`,
  socket_id: socketId,
});

/**
 * Which console has which reader, and for which member it waits. One row a reader holds it, so that of two consoles on
 * two servers one gets the reader, and a finger is stored only for the member that was chosen. The row names the newest
 * connection of the reader; an older one can do nothing.
 */
@Injectable()
export class EnrolmentsService {
  constructor(private readonly db: Database) {}

  /** The newest connection of a reader counts. @returns what an older one was doing, which is over */
  readerArrived({ reader, socket_id }: Reader): Promise<Enrolment[]> {
    return this.db.transaction(async (tx) => {
      const ended = await this.endWhere(sql`e.reader = ${reader} AND e.reader_socket <> ${socket_id}`, tx);
      await tx.query(everyGym`
        INSERT INTO enrolments AS e (reader, reader_socket, held_until) VALUES (${reader}, ${socket_id}, '-infinity')
        ON CONFLICT (reader) DO UPDATE SET reader_socket = excluded.reader_socket, held_until = excluded.held_until
          WHERE e.reader_socket <> excluded.reader_socket`);
      return ended;
    });
  }

  /** Gives the reader to the console, unless another has it. @returns whether it did */
  async giveToConsole({ reader, socket_id }: Reader, consoleSocket: string, userId: number): Promise<boolean> {
    const [chosen] = await this.db.change(everyGym`
      INSERT INTO enrolments AS e (reader, reader_socket, console_socket, user_id, held_until)
      VALUES (${reader}, ${socket_id}, ${consoleSocket}, ${userId}, ${HOLD_UNTIL})
      ON CONFLICT (reader) DO UPDATE SET console_socket = excluded.console_socket, user_id = excluded.user_id,
        is_started = FALSE, held_until = excluded.held_until
        WHERE e.reader_socket = excluded.reader_socket
          AND (e.console_socket = excluded.console_socket OR e.console_socket IS NULL OR ${IS_FREE})
      RETURNING 1`);
    return chosen !== undefined;
  }

  /** The reader turns to another member, who may not be there. */
  async pause(from: Reader): Promise<void> {
    await this.db.change(everyGym`UPDATE enrolments e SET is_started = FALSE WHERE ${isConnection(from)}`);
  }

  /**
   * The reader waits for the finger of this member.
   * @throws OtherMemberChosen if its console has chosen another, or talks with a newer connection of the reader
   */
  async start({ reader, socket_id }: Reader, userId: number): Promise<void> {
    const [started] = await this.db.change(everyGym`
      INSERT INTO enrolments AS e (reader, reader_socket, user_id, is_started, held_until)
      VALUES (${reader}, ${socket_id}, ${userId}, TRUE, ${HOLD_UNTIL})
      ON CONFLICT (reader) DO UPDATE SET user_id = excluded.user_id, is_started = TRUE,
        held_until = excluded.held_until,
        console_socket = CASE WHEN NOT (${IS_FREE}) THEN e.console_socket END
        WHERE e.reader_socket = excluded.reader_socket
          AND (e.user_id = excluded.user_id OR e.console_socket IS NULL OR ${IS_FREE})
      RETURNING 1`);
    if (!started) throw new OtherMemberChosen();
  }

  /**
   * Does `work` for the member that this connection waits for; no other can be chosen meanwhile.
   * @throws NoMemberChosen
   */
  store(from: Reader, work: (tx: Transaction, userId: number) => Promise<void>): Promise<number> {
    return this.db.transaction(async (tx) => {
      const [enrolment] = await tx.query<Enrolment>(everyGym`
        UPDATE enrolments e SET held_until = ${HOLD_UNTIL} WHERE ${isConnection(from)} AND is_started
          AND NOT (${IS_FREE}) RETURNING user_id`);
      if (!enrolment) throw new NoMemberChosen();
      await work(tx, enrolment.user_id);
      return enrolment.user_id;
    });
  }

  /** What this connection is doing. */
  async ofReader(from: Reader): Promise<Enrolment | undefined> {
    const [enrolment] = await this.db.query<Enrolment>(everyGym`
      SELECT reader_socket, console_socket, user_id FROM enrolments e WHERE ${isConnection(from)}
        AND NOT (${IS_FREE})`);
    return enrolment;
  }

  /** It is done. @returns what it was */
  async finish(from: Reader): Promise<Enrolment | undefined> {
    return (await this.endWhere(isConnection(from)))[0];
  }

  /** @returns what it was doing */
  async readerLeft(from: Reader): Promise<Enrolment[]> {
    const ended = await this.endWhere(isConnection(from));
    await this.db.change(everyGym`DELETE FROM enrolments e WHERE ${isConnection(from)}`);
    return ended;
  }

  /** A console goes, or turns to another reader. @returns what it was doing */
  consoleLeft(socketId: string, except = ''): Promise<Enrolment[]> {
    return this.endWhere(sql`e.console_socket = ${socketId} AND e.reader <> ${except}`);
  }

  private endWhere(which: Sql, unit?: Unit): Promise<Enrolment[]> {
    const end = everyGym`
      UPDATE enrolments e SET held_until = '-infinity', is_started = FALSE WHERE ${which} AND NOT (${IS_FREE})
      RETURNING reader_socket, console_socket, user_id`;
    return unit ? unit.query<Enrolment>(end) : this.db.change<Enrolment>(end);
  }
}

const HOLD_UNTIL = sql`now() + make_interval(secs => ${HOLD_SECONDS})`;
const IS_FREE = sql`e.held_until <= now()`;

/**
 * Deletes readers that staff signed in and that vanished with their server: they never come back under the same name.
 */
export async function purgeEnrolments(db: Database): Promise<void> {
  await db.change(everyGym`DELETE FROM enrolments e WHERE e.reader = e.reader_socket AND ${IS_FREE}`);
}

const isConnection = ({ reader, socket_id }: Reader): Sql =>
  sql`e.reader = ${reader} AND e.reader_socket = ${socket_id}`;
