import { describe, expect, it } from '@jest/globals';
import { keyOfMessage, meaningOf } from './idempotency.js';

describe('the meaning of a request', () => {
  it('is the same however it is written', () => {
    const one = meaningOf({ body: { user_id: 5, notes: null, sizes: [{ a: 1, b: 2 }] } });
    expect(meaningOf({ body: { sizes: [{ b: 2, a: 1 }], user_id: '5' } })).toBe(one);
    expect(meaningOf({ params: undefined, body: { user_id: 5, sizes: [{ a: '1', b: 2 }] } })).toBe(one);
  });

  it.each([
    [{ user_id: 5 }, { user_id: 6 }],
    [{ user_id: 5 }, { plan_id: 5 }],
    [{ is_active: true }, { is_active: false }],
    [{ list: [1, 2] }, { list: [2, 1] }],
    [{ a: { b: 1 } }, { a: 1, b: 1 }],
    [{ document_id: '007' }, { document_id: '7' }],
    [{ notes: '' }, {}],
  ])('differs between %j and %j', (one, other) => {
    expect(meaningOf(one)).not.toBe(meaningOf(other));
  });

  it('is without passwords', () => {
    expect(meaningOf({ name: 'x', password: 'a', current_password: 'b' })).toBe(meaningOf({ name: 'x' }));
    // That one is to be given is none.
    expect(meaningOf({ issue_temporary_password: true })).not.toBe(meaningOf({ issue_temporary_password: false }));
  });
});

describe('the key of a message', () => {
  it('is no part of its meaning', () => {
    const key = keyOfMessage('/slots book_slot', { ...{ slot_id: 5 }, idempotency_key: 'once' });
    expect(key).toEqual({ key: 'once', route: '/slots book_slot', meaning: meaningOf({ body: { slot_id: 5 } }) });
    expect(keyOfMessage('/slots book_slot', {})).toBeNull();
  });
});
