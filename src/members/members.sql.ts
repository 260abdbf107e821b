import { columns, pick, present, table } from '../database/columns.js';
import { raw } from '../database/sql.js';
import { gymRef } from '../gyms/gyms.sql.js';
import type { User } from '../people/entities/user.entity.js';
import { activePlan } from '../plans/user-plans.sql.js';
import { UserDto } from './dto/user.dto.js';

const u = table<User>('u');

/** A person as UserDto, of USERS. */
export const USER_COLUMNS = columns(UserDto, {
  id: u.id,
  email: present(u.email),
  ...pick(u, 'username', 'full_name', 'document_id', 'phone_number', 'role', 'language', 'gym_id'),
  gym: gymRef('g'),
  ...pick(u, 'is_active', 'created_at', 'updated_at'),
  active_plan: activePlan('u'),
});
export const USERS = raw('users u LEFT JOIN gyms g ON g.id = u.gym_id');
