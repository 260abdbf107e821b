import type { Role } from '../common/actor/roles.js';
import { type Entitlement, refusalOfPlan } from '../plans/plans.rules.js';
import type { AskAccessDto, Reason } from './dto/access.dto.js';

/** Who stands at the door, with their state in the gym of the door. */
export interface Candidate {
  id: number;
  gym_id: number | null;
  role: Role;
  is_active: boolean;
  is_gym_active: boolean;
  allow_reentry: boolean;
  /** null: staff asked without a device, or the reader is not registered. */
  device_name: string | null;
  open_visit_id: number | null;
  /** The plan that lost a session for the open visit. */
  paid_by_id: number | null;
  plan: Entitlement | null;
}

/** Whether a code is asked for; not of a finger that the reader does not know. */
export const namesCode = ({ qr_code, user_id }: AskAccessDto): boolean => Boolean(qr_code ?? user_id);

/** Who may come in: the person, the gym, the plan, and then whether they are inside. @returns why not; null: come in */
export function judge(found: Candidate | undefined, gymId: number): Reason | null {
  if (!found) return 'unknown';
  if (found.gym_id !== gymId) return 'wrong_gym';
  if (!found.is_active || !found.is_gym_active) return 'inactive';
  return judgePlan(found) ?? (found.open_visit_id !== null && !found.allow_reentry ? 'already_inside' : null);
}

function judgePlan({ role, plan, open_visit_id, paid_by_id }: Candidate): Reason | null {
  // Only a member has a plan that counts; the one of a member who now works here does not.
  const refusal = refusalOfPlan(role === 'user' ? plan : null);
  // The last session paid for the visit that goes on.
  const isPaid = open_visit_id !== null && paid_by_id === plan?.id;
  return refusal === 'no_sessions' && isPaid ? null : refusal;
}

/**
 * Is the answer to the last scan still true? It is, as long as the visit that it began goes on, or the same refusal
 * holds.
 */
export function stillTrue(
  before: { reason: Reason | null; attendance_id: number | null },
  found: Candidate | undefined,
  gymId: number,
): boolean {
  if (before.reason !== null) return judge(found, gymId) === before.reason;
  if (!found || found.open_visit_id === null || found.open_visit_id !== before.attendance_id) return false;
  return judge({ ...found, allow_reentry: true }, gymId) === null;
}
