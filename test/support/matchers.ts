import { expect } from '@jest/globals';
import { requestOf } from './asked.js';

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>> {
    /** Of an answer of the API. */
    toHaveStatus(status: number): R;
    /** Of an answer of the API (below 300), or to a message (no code). */
    toSucceed(): R;
    /** Of an answer of the API (status and code), or to a message or connection (its code). */
    toBeRefused(...refusal: [status: number, code: string] | [code: string | number]): R;
    /** 422, and these fields are wrong, in this order. */
    toHaveWrongFields(...fields: string[]): R;
    /** toEqual() in a loop: a failure says for which of the cases. */
    toEqualFor(what: unknown, expected: unknown): R;
  }
}

interface Answer {
  /** A number in those of the API; a message may tell a status of its own. */
  status?: unknown;
  body?: any;
  code?: string;
}

const briefly = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))?.slice(0, 1500);

/** Compares what an answer says with what it should say. */
function judge(answer: Answer, said: unknown[], expected: unknown[], what = expected.join(' ')) {
  const whole = typeof answer.status === 'number' ? `${answer.status} ${briefly(answer.body)}` : briefly(answer);
  return {
    pass: said.length === expected.length && said.every((one, index) => one === expected[index]),
    message: () => `${requestOf(answer)}\nanswered ${whole}\nexpected ${what}`,
  };
}

expect.extend({
  toHaveStatus: (answer: Answer, status: number) => judge(answer, [answer.status], [status]),

  toSucceed: (answer: Answer) =>
    judge(
      answer,
      [typeof answer.status === 'number' ? answer.status < 300 : answer.code === undefined],
      [true],
      'success',
    ),

  toBeRefused(answer: Answer, ...refusal: unknown[]) {
    const { status, body, code } = answer;
    return judge(answer, refusal.length === 1 ? [code] : [status, body?.code], refusal);
  },

  toHaveWrongFields(answer: Answer, ...fields: string[]) {
    const errors: { field: string }[] = answer.body?.errors ?? [];
    return judge(answer, [answer.status, ...errors.map(({ field }) => field)], [422, ...fields]);
  },

  toEqualFor(value: unknown, what: unknown, expected: unknown) {
    const { equals, utils, isNot } = this;
    return {
      pass: equals(value, expected, [...this.customTesters, utils.iterableEquality]),
      message: () => `${briefly(what)}:\n${isNot ? 'equals ' : ''}${utils.diff(expected, value)}`,
    };
  },
});
