import { Injectable } from '@nestjs/common';
import { AttendanceService } from '../../attendance/attendance.service.js';
import { VisitNotFound } from '../../attendance/attendance.errors.js';
import type { CheckInStatsDto } from '../../attendance/dto/checkin-messages.dto.js';
import type { VisitDto } from '../../attendance/dto/visit.dto.js';
import { VisitNumbers } from '../../attendance/visit-numbers.js';
import { GymsService } from '../../chain/gyms.service.js';
import type { Actor, ScopedGymId } from '../../common/actor/actor.js';
import type { GymDto } from '../../gyms/dto/gym.dto.js';
import { MembersService } from '../../members/members.service.js';
import { type MemberRecord, RecordsService } from '../../members/records.service.js';
import { UserNotFound } from '../../people/people.errors.js';
import { readCard } from './av-checkins.wire.js';

/** What people and screens of this family see is of one gym: their own; an admin's home gym, or else the first. */
@Injectable()
export class AvDesk {
  constructor(
    private readonly gyms: GymsService,
    private readonly members: MembersService,
    private readonly records: RecordsService,
    private readonly attendance: AttendanceService,
    private readonly numbers: VisitNumbers,
  ) {}

  async gymOf(actor: Actor): Promise<ScopedGymId> {
    return actor.gym(await this.gyms.homeOf(actor));
  }

  async gym(actor: Actor): Promise<GymDto> {
    return this.gyms.get(actor, await this.gymOf(actor));
  }

  /** @throws UserNotFound */
  async member(actor: Actor, id: number): Promise<MemberRecord> {
    const [member, gymId] = await Promise.all([this.records.get(actor, id), this.gymOf(actor)]);
    if (member.gym_id !== gymId) throw new UserNotFound();
    return member;
  }

  /** The member whose card it is: an id, a membership number or a pass code. @throws UserNotFound */
  async memberOfCard(actor: Actor, card: unknown): Promise<MemberRecord> {
    const read = readCard(card);
    if (!read) throw new UserNotFound();
    return this.member(actor, 'id' in read ? read.id : (await this.members.getByQr(actor, read.code)).id);
  }

  /** @throws VisitNotFound */
  async visit(actor: Actor, id: number): Promise<VisitDto> {
    const [visit, gymId] = await Promise.all([this.attendance.get(actor, id), this.gymOf(actor)]);
    if (visit.gym_id !== gymId) throw new VisitNotFound();
    return visit;
  }

  /** The numbers of a gym, now. */
  stats(gymId: ScopedGymId): Promise<CheckInStatsDto> {
    return this.numbers.statsOf(gymId);
  }
}
