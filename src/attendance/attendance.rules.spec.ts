import { describe, expect, it } from '@jest/globals';
import { newsOfCorrection, newsOfVisit, refusalOfCheckIn, takesSession } from './attendance.rules.js';
import type { VisitDto } from './dto/visit.dto.js';

const named = (thing: object) => thing.constructor.name;
const visit = (status: VisitDto['status']) =>
  ({ id: 1, gym_id: 2, status, check_out_time: status === 'checked_out' ? new Date() : null }) as VisitDto;

describe('a check-in by staff', () => {
  it.each([
    [undefined, { qr_code: 'GYM-1-00000000' }, 'FieldsInvalid'],
    [undefined, {}, 'FieldsInvalid'],
    [{ is_active: false }, {}, 'MemberInactive'],
    [{ is_active: true }, {}, 'GymInactive'],
  ])('of %j, asked for by %j, is refused as %s', (found, asked, expected) => {
    expect(named(refusalOfCheckIn(found, asked))).toBe(expected);
  });

  it('names the field by which the member was asked for', () => {
    expect(refusalOfCheckIn(undefined, { qr_code: 'x' })).toMatchObject({ data: { errors: [{ field: 'qr_code' }] } });
    expect(refusalOfCheckIn(undefined, {})).toMatchObject({ data: { errors: [{ field: 'user_id' }] } });
  });

  it('takes a session if it is to, and never twice for one visit', () => {
    expect(takesSession({ action: 'check_in_only' })).toBe(false);
    expect(takesSession({ action: 'check_in_only', user_plan_id: 7 })).toBe(false);
    expect(takesSession({ action: 'check_in_with_deduction' })).toBe(true);
    expect(() => takesSession({ action: 'check_in_with_deduction', user_plan_id: 7 })).toThrow();
  });
});

describe('what is told of a visit', () => {
  it('that staff writes down', () => {
    expect(named(newsOfVisit(visit('checked_in')))).toBe('MemberCheckedIn');
    expect(named(newsOfVisit(visit('checked_out')))).toBe('VisitCorrected');
  });

  it.each([
    ['checked_in', 'checked_out', 'MemberCheckedOut'],
    ['checked_out', 'checked_in', 'MemberCheckedIn'],
    ['checked_in', 'checked_in', 'VisitCorrected'],
    ['checked_out', 'checked_out', 'VisitCorrected'],
  ] as const)('that was %s and is %s', (before, after, expected) => {
    expect(named(newsOfCorrection(visit(before), visit(after)))).toBe(expected);
  });
});
