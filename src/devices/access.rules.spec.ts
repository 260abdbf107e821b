import { describe, expect, it } from '@jest/globals';
import { type Candidate, judge, namesCode, stillTrue } from './access.rules.js';

const GYM = 2;
const plan = { id: 5, status: 'active', remaining_sessions: null } as const;
const fit: Candidate = {
  id: 8,
  gym_id: GYM,
  role: 'user',
  is_active: true,
  is_gym_active: true,
  allow_reentry: true,
  device_name: null,
  open_visit_id: null,
  paid_by_id: null,
  plan,
};
const inside = { open_visit_id: 12 };

describe('who may come in', () => {
  it.each<[string | null, Partial<Candidate>]>([
    [null, {}],
    ['wrong_gym', { gym_id: 3, is_active: false }],
    ['wrong_gym', { gym_id: null, role: 'admin' }],
    ['inactive', { is_active: false, plan: null }],
    ['inactive', { is_gym_active: false }],
    ['no_plan', { plan: null }],
    ['no_plan', { role: 'trainer' }],
    ['no_plan', { plan: { ...plan, status: 'cancelled', remaining_sessions: 0 } }],
    ['frozen', { plan: { ...plan, status: 'frozen' } }],
    ['expired', { plan: { ...plan, status: 'expired' } }],
    ['no_sessions', { plan: { ...plan, status: 'expired', remaining_sessions: 0 } }],
    [null, inside],
    ['already_inside', { ...inside, allow_reentry: false }],
    ['inactive', { ...inside, is_active: false }],
    ['no_plan', { ...inside, plan: { ...plan, status: 'cancelled' } }],
    ['frozen', { ...inside, allow_reentry: false, plan: { ...plan, status: 'frozen' } }],
    ['no_sessions', { ...inside, plan: { ...plan, status: 'expired', remaining_sessions: 0 } }],
    [null, { ...inside, paid_by_id: 5, plan: { ...plan, status: 'expired', remaining_sessions: 0 } }],
  ])('%s: %j', (reason, state) => {
    expect(judge({ ...fit, ...state }, GYM)).toBe(reason);
  });

  it('is asked about a person that is known', () => {
    expect(judge(undefined, GYM)).toBe('unknown');
  });

  it('remembers an answer only while it is true', () => {
    const letIn = { reason: null, attendance_id: 12 };
    expect(stillTrue(letIn, { ...fit, ...inside, allow_reentry: false }, GYM)).toBe(true);
    expect(stillTrue(letIn, fit, GYM)).toBe(false);
    expect(stillTrue(letIn, { ...fit, ...inside, plan: null }, GYM)).toBe(false);
    const refused = { reason: 'no_plan', attendance_id: null } as const;
    expect(stillTrue(refused, { ...fit, plan: null }, GYM)).toBe(true);
    expect(stillTrue(refused, fit, GYM)).toBe(false);
  });
});

describe('guessing', () => {
  it.each([
    [true, { qr_code: 'GYM-8-0a1b2c3d' }],
    [true, { user_id: 8 }],
    [false, { device_id: 1 }],
  ])('is, or is not, possible: %s for %j', (expected, asked) => {
    expect(namesCode(asked)).toBe(expected);
  });
});
