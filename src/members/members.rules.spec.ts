import { describe, expect, it } from '@jest/globals';
import { Actor } from '../common/actor/actor.js';
import { ROLES, type Role, STAFF } from '../common/actor/roles.js';
import type { UpdateUserDto, UserDto } from './dto/user.dto.js';
import { leavingOf, requireMayBecome, requireMayChange, requireMayGive } from './members.rules.js';

const GYM = 2;
const as = (role: Role, id = 1) => new Actor(id, role, GYM, 1);
const person = (role: Role, id = 9) =>
  ({ id, role, gym_id: GYM, is_active: true, full_name: 'Maria', email: 'maria@example.com' }) as UserDto;

function allows(rule: () => void): boolean {
  try {
    rule();
    return true;
  } catch {
    return false;
  }
}

describe('roles', () => {
  it.each([
    ['admin', ROLES],
    ['manager', ['reception', 'accountant', 'trainer', 'user']],
    ['reception', ['user']],
    ['trainer', ['user']],
    ['accountant', []],
    ['user', []],
  ] as [Role, readonly Role[]][])('that %s may give are %j', (giver, expected) => {
    expect(ROLES.filter((role) => allows(() => requireMayGive(as(giver), role)))).toEqual(expected);
  });
});

describe('changing a person', () => {
  const may = (actor: Actor, who: UserDto, input: UpdateUserDto) => allows(() => requireMayChange(actor, who, input));

  it.each<[string, Actor, UserDto, (keyof UpdateUserDto)[]]>([
    ['an admin', as('admin'), person('manager'), ['email', 'full_name', 'is_active', 'role', 'gym_id', 'password']],
    ['a manager', as('manager'), person('user'), ['email', 'full_name', 'is_active', 'role', 'password']],
    ['reception', as('reception'), person('user'), ['email', 'full_name', 'is_active']],
    ['reception, of a colleague,', as('reception'), person('accountant'), []],
    ['a manager, of a manager,', as('manager'), person('manager'), []],
    ['a member', as('user', 9), person('user', 9), ['email']],
    ['an accountant', as('accountant'), person('user'), []],
  ])('%s may change these fields', (_, actor, who, expected) => {
    const changes = {
      ...{ email: 'other@example.com', full_name: 'Ana', is_active: false },
      ...{ role: 'trainer', gym_id: 3, password: 'a long password' },
    } as const satisfies UpdateUserDto;
    const fields = Object.keys(changes) as (keyof typeof changes)[];
    expect(fields.filter((field) => may(actor, who, { [field]: changes[field] }))).toEqual(expected);
  });

  it('takes what is sent as it already is for not sent', () => {
    expect(may(as('user', 9), person('user', 9), { full_name: 'Maria', role: 'user', email: 'new@example.com' })).toBe(
      true,
    );
  });

  it('is for those who may change something, even if nothing changes', () => {
    expect(may(as('accountant'), person('user'), {})).toBe(false);
    expect(may(as('reception'), person('manager'), {})).toBe(false);
    expect(may(as('reception'), person('user'), {})).toBe(true);
  });

  it('gives no role above its own', () => {
    expect(may(as('manager'), person('user'), { role: 'manager' })).toBe(false);
  });
});

describe('what a person may become', () => {
  const member = { role: 'user', gym_id: GYM, is_active: true, email: 'maria@example.com' } as const;

  it('has a gym, unless it is an admin', () => {
    expect(allows(() => requireMayBecome({ ...member, gym_id: null }, false))).toBe(false);
    expect(allows(() => requireMayBecome({ ...member, gym_id: null, role: 'admin' }, false))).toBe(true);
  });

  it('has an email, unless it is a member', () => {
    const withEmail = ROLES.filter((role) => !allows(() => requireMayBecome({ ...member, role, email: null }, false)));
    expect(withEmail).toEqual(STAFF);
  });

  it('leaves an active admin', () => {
    const admin = { ...member, role: 'admin' } as const;
    const may = [admin, { ...admin, is_active: false }, member].map((after) =>
      allows(() => requireMayBecome(after, true)),
    );
    expect(may).toEqual([true, false, false]);
    expect(allows(() => requireMayBecome(member, false))).toBe(true);
  });

  it('follows from what changes', () => {
    expect(leavingOf(member, member)).toEqual({ isDeactivated: false, hasMoved: false, isNoMember: false });
    expect(leavingOf(member, { ...member, is_active: false }).isDeactivated).toBe(true);
    expect(leavingOf({ ...member, is_active: false }, member).isDeactivated).toBe(false);
    expect(leavingOf(member, { ...member, gym_id: 3 }).hasMoved).toBe(true);
    expect(leavingOf(member, { ...member, role: 'trainer' }).isNoMember).toBe(true);
    expect(leavingOf({ ...member, role: 'trainer' }, member).isNoMember).toBe(false);
  });
});
