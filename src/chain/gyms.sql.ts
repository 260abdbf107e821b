import { columns, computed, pick, table } from '../database/columns.js';
import { raw } from '../database/sql.js';
import { BranchDto, GymDto } from '../gyms/dto/gym.dto.js';
import type { Gym } from '../gyms/entities/gym.entity.js';

const FIELDS = pick(
  table<Gym>('gyms'),
  ...(['id', 'name', 'address', 'phone_number', 'timezone', 'is_active', 'allow_reentry'] as const),
  ...(['created_at', 'updated_at'] as const),
);

/** Of `gyms`. */
export const GYM_COLUMNS = columns(GymDto, FIELDS);

/** Of `gyms` with its PEOPLE. */
export const BRANCH_COLUMNS = columns(BranchDto, {
  ...FIELDS,
  member_count: computed<number>(raw('members.count')),
  staff_count: computed<number>(raw('staff.count')),
});

// Each counts in an index of its own, for the gyms of the page.
export const PEOPLE = raw(`
  CROSS JOIN LATERAL (SELECT count(*) FROM users
    WHERE gym_id = gyms.id AND role = 'user' AND deleted_at IS NULL) members
  CROSS JOIN LATERAL (SELECT count(*) FROM users
    WHERE gym_id = gyms.id AND role <> 'user' AND deleted_at IS NULL) staff`);
