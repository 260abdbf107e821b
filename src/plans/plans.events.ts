import { DomainEvent } from '../common/events/domain-event.js';
import type { MembershipChangedDto, UserPlanDto } from './dto/user-plan.dto.js';

/** The plans of a member were changed, not by a check-in: that tells by itself what it took. */
export class MembershipChanged extends DomainEvent {
  constructor(
    readonly gym_id: number,
    readonly member: MembershipChangedDto,
  ) {
    super();
  }

  /** @param plan the one that counts now */
  static to({ id, user_id, user, gym_id, plan_id, plan, status, expires_at, remaining_sessions }: UserPlanDto) {
    const details = { plan_id, plan_name: plan.name, status, expires_at, remaining_sessions };
    const membership = { user_plan_id: id, ...details };
    return new MembershipChanged(gym_id, { user_id, full_name: user.full_name, membership });
  }
}
