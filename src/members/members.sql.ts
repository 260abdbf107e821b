import { columns, computed, optional, pick, table } from '../database/columns.js';
import { sql } from '../database/sql.js';
import { gymRef } from '../gyms/gyms.sql.js';
import type { User } from '../people/entities/user.entity.js';
import { activePlan, SHOWN } from '../plans/user-plans.sql.js';
import { UserDto } from './dto/user.dto.js';

const u = table<User>('u');

/** A person `u` as UserDto, with what is SHOWN_WITH them. */
export const USER_COLUMNS = columns(UserDto, {
  ...pick(u, 'id', 'email', 'username', 'full_name', 'document_id', 'phone_number', 'role', 'language', 'gym_id'),
  gym: gymRef('g'),
  ...pick(u, 'is_active', 'created_at', 'updated_at'),
  active_plan: optional(SHOWN),
});
export const SHOWN_WITH = sql`LEFT JOIN gyms g ON g.id = u.gym_id ${activePlan('u')}`;

/** The person `u` signs in with a password that is not temporary. */
export const PASSWORD_CHANGED = computed<boolean>(
  sql`(${u.password_hash} IS NOT NULL AND NOT ${u.must_change_password})`,
);
