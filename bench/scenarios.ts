// What is measured: the requests of each row, those by which both servers are compared, and what must differ in them.
import {
  BOOKERS,
  type Data,
  DAYS_AHEAD,
  type Facts,
  PASSWORD,
  removeBookings,
  removeUsers,
  removeVisits,
  SIGN_INS,
} from './data.js';
import type { Ask } from './load.js';

type Tokens = Record<string, string>;

export interface Scenario {
  name: string;
  connections: number;
  /** All connections ask at the same moment. */
  isTogether?: boolean;
  /** The request with this number. */
  ask(facts: Facts, tokens: Tokens, n: number): Ask;
  /** Each of these must get the same answer of both servers; by default three of the measured ones. */
  samples?(facts: Facts, tokens: Tokens): Ask[];
  /** Fields of an answer of which the first may have another value. */
  differs?: string[];
  /** Makes possible again what was done, which is not measured. */
  reset?(data: Data): Promise<unknown>;
  /** How many answers of so many requests succeed; by default all. The others are refused with 409. */
  successes?(requests: number): number;
}

/** An item of a list, from its beginning again behind the end. */
const nth = <Item>(items: readonly Item[], n: number): Item => items[n % items.length]!;

const signIn = (account: string, password = PASSWORD): Ask => ({
  method: 'POST',
  path: '/api/v1/auth/login',
  body: { email: `${account}@bench.example`, password },
});

/** What the desk types: the first name and the beginning of the next one. */
const typed = (name: string): string => {
  const [first, second = ''] = name.split(' ');
  return `${first} ${second.slice(0, 3)}`.toLowerCase();
};

const search = (q: string, tokens: Tokens): Ask => ({
  method: 'GET',
  path: `/api/v1/users/search?q=${encodeURIComponent(q)}`,
  token: tokens.reception,
});

const byDocument = (document: string, tokens: Tokens): Ask => ({
  method: 'GET',
  path: `/api/v1/users/search/document/${encodeURIComponent(document)}`,
  token: tokens.reception,
});

const checkIn = (member: number, tokens: Tokens): Ask => ({
  method: 'POST',
  path: '/api/v1/attendance',
  token: tokens.admin,
  body: { user_id: member },
});

const visits = ({ day }: Facts, tokens: Tokens, limit: number): Ask => ({
  method: 'GET',
  path: `/api/v1/attendance/daily/${day}?limit=${limit}`,
  token: tokens.reception,
});

/** Hours that exist on every day of every year. */
const [FIRST_HOUR, HOURS, DAYS] = [6, 17, DAYS_AHEAD - 6];

function book(facts: Facts, tokens: Tokens, hour: number, member: number): Ask {
  const day = new Date(`${facts.tomorrow}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() + Math.floor(hour / HOURS));
  return {
    method: 'POST',
    path: `/api/v1/slots/${FIRST_HOUR + (hour % HOURS)}/book`,
    token: tokens[`member${member + 1}`],
    body: { date: day.toISOString().slice(0, 10) },
  };
}

export const scenarios: Scenario[] = [
  {
    name: 'sign-in',
    connections: 8,
    ask: (_facts, _tokens, n) => signIn(`desk${1 + (n % SIGN_INS)}`),
    samples: () => [signIn('desk1'), signIn('DESK2'), signIn('desk3', 'a wrong password'), signIn('nobody')],
    differs: ['access_token', 'refresh_token'],
  },
  {
    name: 'find by document',
    connections: 20,
    ask: ({ members }, tokens, n) => byDocument(nth(members, n).document_id, tokens),
    samples: ({ members }, tokens) => [
      ...members.slice(0, 40).map(({ document_id }) => byDocument(document_id, tokens)),
      byDocument(members[0]!.document_id.toLowerCase(), tokens),
      byDocument('NOBODY', tokens),
    ],
  },
  {
    name: 'users of a gym, 50',
    connections: 20,
    ask: (_facts, tokens) => ({ method: 'GET', path: '/api/v1/users?limit=50', token: tokens.reception }),
    samples: (_facts, tokens) =>
      [1, 50, 200].map((limit) => ({
        method: 'GET',
        path: `/api/v1/users?limit=${limit}`,
        token: tokens.reception,
      })),
  },
  {
    name: 'create user',
    connections: 20,
    ask: ({ gym_id }, tokens, n) => {
      const person = { email: `person${n}@new.bench.example`, full_name: `New person ${n}`, document_id: `NEW-${n}` };
      const body = { ...person, phone_number: '+1 555 0100', role: 'user', gym_id };
      return { method: 'POST', path: '/api/v1/users/regular', token: tokens.admin, body };
    },
    differs: ['id', 'created_at', 'updated_at'],
    reset: ({ client }) => removeUsers(client),
  },
  {
    name: 'check-in',
    connections: 20,
    ask: ({ outside }, tokens, n) => checkIn(nth(outside, n), tokens),
    samples: ({ outside }, tokens) =>
      [...outside.slice(0, 40), outside[0]!, 2_000_000_000].map((member) => checkIn(member, tokens)),
    differs: ['id', 'check_in_time', 'created_at', 'updated_at'],
    reset: ({ client }) => removeVisits(client),
  },
  {
    name: 'sale',
    connections: 20,
    ask: ({ products }, tokens, n) => ({
      method: 'POST',
      path: '/api/v1/sales',
      token: tokens.reception,
      body: { product_id: nth(products, n), quantity: 1 + (n % 3) },
    }),
    differs: ['id', 'sale_date', 'created_at', 'updated_at'],
  },
  {
    name: 'sales summary, a month',
    connections: 20,
    ask: ({ month }, tokens) => ({
      method: 'GET',
      path: `/api/v1/sales/summary?start_date=${month[0]}&end_date=${month[1]}`,
      token: tokens.manager,
    }),
  },
  {
    name: 'visits of a day, 50',
    connections: 20,
    ask: (facts, tokens) => visits(facts, tokens, 50),
    samples: (facts, tokens) => [2, 50].map((limit) => visits(facts, tokens, limit)),
  },
  {
    name: 'visits of a day, 200',
    connections: 20,
    ask: (facts, tokens) => visits(facts, tokens, 200),
  },
  {
    name: `hour slot, ${BOOKERS} at once`,
    connections: BOOKERS,
    isTogether: true,
    ask: (facts, tokens, n) => book(facts, tokens, Math.floor(n / BOOKERS) % (HOURS * DAYS), n % BOOKERS),
    // The first gets it, the second comes too late, and the first has it already.
    samples: (facts, tokens) => [0, 1, 0].map((member) => book(facts, tokens, 0, member)),
    differs: ['id', 'booked_at'],
    reset: ({ client }) => removeBookings(client),
    successes: (requests) => requests / BOOKERS,
  },
  {
    name: 'search by name',
    connections: 20,
    ask: ({ members }, tokens, n) => search(typed(nth(members, n).full_name), tokens),
    samples: ({ members }, tokens) => [
      ...members.slice(0, 40).map(({ full_name }) => search(typed(full_name), tokens)),
      ...['z', 'o’c', 'straße', 'Yılmaz', '555 12', 'LOAD', '%_', 'no such name'].map((q) => search(q, tokens)),
    ],
  },
  {
    name: 'search by phone',
    connections: 20,
    ask: ({ members }, tokens, n) => ({
      method: 'GET',
      path: `/api/v1/users/search/phone/${nth(members, n).phone_number.slice(-5)}`,
      token: tokens.reception,
    }),
    samples: ({ members }, tokens) =>
      [...members.slice(0, 20).map(({ phone_number }) => phone_number.slice(-5)), '555', '000000000', '12'].map(
        (digits) => ({ method: 'GET', path: `/api/v1/users/search/phone/${digits}`, token: tokens.reception }),
      ),
  },
];
