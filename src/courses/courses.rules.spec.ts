import { describe, expect, it } from '@jest/globals';
import { Actor } from '../common/actor/actor.js';
import { ROLES } from '../common/actor/roles.js';
import { CourseArchived, OwnCourse } from './courses.errors.js';
import { requireMayEnrol, requireMayManage, type Trainer } from './courses.rules.js';
import type { CourseDto } from './dto/courses.dto.js';

describe('a course', () => {
  const whoMay = (trainer: Trainer) =>
    ROLES.filter((role) => {
      try {
        requireMayManage(new Actor(1, role, 2, 1), trainer);
        return true;
      } catch {
        return false;
      }
    });

  it.each([
    ['of oneself is managed by each role', { account_id: 1, gym_id: 2 }, ROLES],
    ['of a trainer of the gym, by its manager and an admin', { account_id: 9, gym_id: 2 }, ['admin', 'manager']],
    ['of a trainer of another gym, by an admin', { account_id: 9, gym_id: 3 }, ['admin']],
  ])('%s', (_, trainer, expected) => {
    expect(whoMay(trainer)).toEqual(expected);
  });

  const course = (trainerId: number, isArchived = false) =>
    ({ trainer: { id: trainerId }, is_archived: isArchived }) as CourseDto;
  const enrol = (of: CourseDto) => () => requireMayEnrol(new Actor(1, 'user', 2, 1), of);

  it('is taken by others, until it is archived', () => {
    expect(enrol(course(9))).not.toThrow();
    expect(enrol(course(1))).toThrow(OwnCourse);
    expect(enrol(course(9, true))).toThrow(CourseArchived);
  });
});
