import type { Actor } from '../common/actor/actor.js';
import { ROLES, type Role } from '../common/actor/roles.js';
import type { UpdateUserDto, UserDto } from './dto/user.dto.js';
import { FieldsInvalid } from '../common/errors/common.errors.js';
import { FieldsNotChangeable, LastAdmin, RoleNotAssignable } from './members.errors.js';

/** The roles that each role may create, change and give: those below it. */
const GIVES: Record<Role, readonly Role[]> = {
  admin: ROLES,
  manager: ['reception', 'accountant', 'trainer', 'user'],
  reception: ['user'],
  trainer: ['user'],
  accountant: [],
  user: [],
};

type Field = keyof UpdateUserDto;
/** What one signs in with. */
const NAMES = ['email', 'username', 'phone_number'] as const;
const CONTACT: readonly Field[] = [...NAMES, 'language'];
const PERSONAL: readonly Field[] = [...CONTACT, 'full_name', 'document_id', 'is_active'];
/** What people change of themselves as an account: also how they are called there. */
export const OWN_ACCOUNT: readonly Field[] = [...CONTACT, 'full_name'];
const EVERYTHING: readonly Field[] = [...PERSONAL, 'role', 'gym_id', 'password'];

/** @throws RoleNotAssignable */
export function requireMayGive(actor: Actor, role: Role): void {
  if (!GIVES[actor.role].includes(role)) throw new RoleNotAssignable();
}

/** Desk staff changes the members of its gym but not their role or gym; everyone `own` of themselves. */
function changeable(actor: Actor, person: UserDto, own: readonly Field[]): readonly Field[] {
  if (!GIVES[actor.role].includes(person.role)) return person.id === actor.user_id ? own : [];
  if (actor.role === 'admin') return EVERYTHING;
  return actor.role === 'manager' ? EVERYTHING.filter((field) => field !== 'gym_id') : PERSONAL;
}

/**
 * Checks a change against the rules. Fields that are sent as they already are count as not sent, because many clients
 * send back the whole person. No one takes away their own last name to sign in with.
 * @throws FieldsNotChangeable, RoleNotAssignable, FieldsInvalid
 */
export function requireMayChange(actor: Actor, person: UserDto, input: UpdateUserDto, own = CONTACT): void {
  const allowed = changeable(actor, person, own);
  if (allowed.length === 0) throw new FieldsNotChangeable('You may not change this person.');
  const sent = (Object.keys(input) as Field[]).filter((field) => input[field] !== undefined);
  const changed = sent.filter((field) => field === 'password' || input[field] !== person[field]);
  const refused = changed.filter((field) => !allowed.includes(field));
  if (refused.length > 0) throw new FieldsNotChangeable(`You may not change ${refused.join(', ')}.`);
  if (input.role !== undefined && input.role !== person.role) requireMayGive(actor, input.role);
  const isLeft = NAMES.some((name) => (input[name] === undefined ? person[name] : input[name]) !== null);
  if (person.id === actor.user_id && !isLeft && NAMES.some((name) => changed.includes(name))) {
    throw FieldsInvalid.of('email', 'is required without a username and a phone_number: you could not sign in again');
  }
}

/** What decides where a person may be. */
export type Belonging = Pick<UserDto, 'role' | 'gym_id' | 'is_active'>;

/**
 * What a person may be after a change: all but an admin belong to a gym, staff have an email, and one active admin
 * stays.
 * @throws FieldsInvalid, LastAdmin
 */
export function requireMayBecome(
  { role, gym_id, is_active, email }: Belonging & Pick<UserDto, 'email'>,
  isLastAdmin: boolean,
): void {
  if (isLastAdmin && !(role === 'admin' && is_active)) throw new LastAdmin();
  if (role !== 'admin' && gym_id === null) throw FieldsInvalid.of('gym_id', 'is required for this role');
  if (role !== 'user' && email === null) throw FieldsInvalid.of('email', 'is required for staff');
}

/** What follows from a change of a person; see `Leaving`. */
export function leavingOf(before: Belonging, after: Belonging) {
  return {
    isDeactivated: before.is_active && !after.is_active,
    hasMoved: before.gym_id !== after.gym_id,
    isNoMember: before.role === 'user' && after.role !== 'user',
  };
}
