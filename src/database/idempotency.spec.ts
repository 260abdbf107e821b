import { describe, expect, it } from '@jest/globals';
import { peopleIn } from './idempotency.js';

describe('the people in an answer', () => {
  it.each([
    ['a person', { id: 5, full_name: 'A', gym: { id: 2, name: 'Gym' } }, [5]],
    ['what belongs to one', { id: 7, user_id: 5, plan_id: 3, gym_id: 2 }, [5]],
    ['a visit', { id: 7, user_id: 5, member: { id: 5, full_name: 'A' } }, [5]],
    ['a sale', { id: 7, product: { id: 9, name: 'Water' }, sold_by: { id: 4, full_name: 'B' } }, [4]],
    ['a door', { allowed: true, user: { id: 5, full_name: 'A' }, user_plan: null }, [5]],
    ['a list', [{ user_id: 5 }, { user_id: 6 }], [5, 6]],
    ['a gym', { id: 2, name: 'Gym', address: null }, []],
  ])('are found in %s', (_, answer, expected) => {
    expect(peopleIn(answer)).toEqual(expected);
  });
});
