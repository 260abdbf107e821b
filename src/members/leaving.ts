import { Injectable } from '@nestjs/common';
import { AttendanceService } from '../attendance/attendance.service.js';
import { SessionsService } from '../auth/sessions.service.js';
import { ConversationsService } from '../chat/conversations.service.js';
import type { Transaction } from '../database/database.js';
import { UserPlansService } from '../plans/user-plans.service.js';
import { type Belonging, leavingOf } from './members.rules.js';
import { SlotsService } from '../slots/slots.service.js';

/**
 * What follows when a person is deleted, deactivated, moved to another gym, or stops being a member, in the transaction
 * that does it: what is done later could undo what they have done since.
 *
 * |                         | deleted | deactivated | moved | no member any more |
 * | ----------------------- | ------- | ----------- | ----- | ------------------ |
 * | the visit that is open  | ends    | ends        | ends  | ends               |
 * | hours to come           | free    | free        | free  | stay               |
 * | plans that run or wait  | end     | stay        | end   | end                |
 * | sessions                | go      | end         | stay  | stay               |
 * | profiles                | go      | stay        | stay  | stay               |
 * | courses that they give  | go      | are hidden  | stay  | stay               |
 * | courses that they take  | end     | stay        | stay  | stay               |
 * | conversations           | end     | rest        | go on | go on              |
 *
 * (At rest they can be read, and take no message.)
 *
 * What is erased when a person is deleted is in forgetting.ts; sockets follow the access (the triggers that send
 * access_changed).
 */
@Injectable()
export class Leaving {
  constructor(
    private readonly attendance: AttendanceService,
    private readonly slots: SlotsService,
    private readonly userPlans: UserPlansService,
    private readonly sessions: SessionsService,
    private readonly conversations: ConversationsService,
  ) {}

  async onChange(tx: Transaction, userId: number, before: Belonging, after: Belonging): Promise<void> {
    const { isDeactivated, hasMoved, isNoMember } = leavingOf(before, after);
    if (isDeactivated || hasMoved || isNoMember) await this.attendance.endVisitsOf(tx, userId);
    if (isDeactivated || hasMoved) await this.slots.cancelBookingsOf(tx, userId);
    if (hasMoved || isNoMember) await this.userPlans.cancelPlansOf(tx, userId);
    if (isDeactivated) await this.sessions.end(tx, userId, 'deactivated');
  }

  async onDelete(tx: Transaction, userId: number): Promise<void> {
    await this.attendance.endVisitsOf(tx, userId);
    await this.slots.cancelBookingsOf(tx, userId);
    await this.userPlans.cancelPlansOf(tx, userId);
    await this.conversations.forgetPerson(tx, userId);
  }
}
