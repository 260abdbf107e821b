import { Post } from '@nestjs/common';
import { AttendanceService } from '../../attendance/attendance.service.js';
import type { VisitDto } from '../../attendance/dto/visit.dto.js';
import { CurrentActor } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { DESK } from '../../common/actor/roles.js';
import { Idempotency, type IdempotencyKey } from '../../common/http/idempotency.js';
import { Body } from '../../common/http/validation.js';
import { NoSessionsLeft, PlanNotActive } from '../../plans/plans.errors.js';
import { UserPlansService } from '../../plans/user-plans.service.js';
import { Refusal, type Texts } from '../wire/refusal.js';
import { LegacyController, Wire } from '../wire/route.js';
import { AttendanceBody, Done, VisitWire } from './flutter-app.dto.js';
import { done, notThere } from './flutter-app.wire.js';

const texts: Texts = [
  [NoSessionsLeft, 400, 'No sessions remaining'],
  [PlanNotActive, 400],
];
const NOT_THERE = {
  user_id: 'Customer not found',
  qr_code: 'Customer not found',
  user_plan_id: 'Subscription not found',
};

@LegacyController('flutter-app', 'api/attendance')
export class FlutterAttendanceController {
  constructor(
    private readonly attendance: AttendanceService,
    private readonly userPlans: UserPlansService,
  ) {}

  @Post()
  @Wire({ summary: 'Check a customer in', roles: DESK, answer: Done(VisitWire), texts })
  async checkIn(@CurrentActor() actor: Actor, @Body() body: AttendanceBody, @Idempotency() key: IdempotencyKey | null) {
    const { customer_id: memberId, qr_code, subscription_id: userPlanId, branch_id: gymId } = body;
    if (memberId === undefined && qr_code === undefined) throw new Refusal(400, 'customer_id or qr_code is required');
    const who = memberId === undefined ? { qr_code } : { user_id: memberId };
    // The app has deducted by a call of its own, and says from which subscription.
    const what = userPlanId === undefined ? { action: body.action } : { user_plan_id: userPlanId };
    const visit = await this.attendance
      .checkIn(actor, { ...who, ...what, gym_id: gymId }, key)
      .catch(notThere(NOT_THERE));
    return done(
      {
        attendance_id: visit.id,
        customer_name: visit.member.full_name,
        check_in_time: visit.check_in_time,
        remaining_sessions: await this.remaining(actor, visit),
      },
      'Check-in recorded successfully',
    );
  }

  /** Of the plan that was charged, which may be used up by now; else of the one that counts. As the visit shows it. */
  private async remaining(actor: Actor, { member: { membership }, user_plan_id }: VisitDto): Promise<number | null> {
    const isShown = user_plan_id === null || user_plan_id === membership?.user_plan_id;
    const charged = isShown ? membership : await this.userPlans.get(actor, user_plan_id);
    return charged?.remaining_sessions ?? null;
  }
}
