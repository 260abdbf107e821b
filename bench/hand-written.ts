// What Spotter is measured against: the least that these routes cost. Fastify and pg, no layers, no log, no metrics,
// no headers but those that an answer needs; one statement a request, on shared connections; SQL and JSON by hand. It
// gives the same answers, to the byte (run.ts compares them), and holds what must hold: no stock is sold twice, no one
// is inside twice, no hour is booked twice. It knows only the parameters that are measured; of lists it gives the first
// page and the address of the second.
import { createHash } from 'node:crypto';
import Fastify, { type FastifyReply } from 'fastify';
import { ask, askTogether, type Refused, type Row, type Statement } from './hand-written-db.js';
import {
  type Actor,
  DESK,
  DESK_AND_MEMBERS,
  invalid,
  numbersChanged,
  Problem,
  send,
  sendProblem,
  signedInAs,
  STAFF,
  tell,
} from './hand-written-http.js';
import { booking, list, sale, summary, timeOf, user, visit } from './hand-written-json.js';
import { addSignIn } from './hand-written-sign-in.js';
import * as SQL from './hand-written-sql.js';
import { fold, searchForm } from './hand-written-text.js';

const app = Fastify({ logger: false, ajv: { customOptions: { removeAdditional: true } } });
app.setErrorHandler(sendProblem);

/** A statement that is another one for each limit (a plan for a limit that is not known sorts everything). */
function each<Key extends (string | number | boolean)[]>(make: (...key: Key) => Statement): typeof make {
  const made = new Map<string, Statement>();
  return (...key) => {
    const name = key.join();
    const statement = made.get(name) ?? make(...key);
    made.set(name, statement);
    return statement;
  };
}

const LIMIT = { type: 'integer', minimum: 1, maximum: 200, default: 50 };
const ID = { type: 'integer', minimum: 1, maximum: 2_147_483_647 };
const DAY = { type: 'string', format: 'date' };
const query = (properties: object, required: string[] = []) => ({
  schema: { querystring: { type: 'object', properties, required } },
});
const body = (properties: object, required: string[] = []) => ({
  schema: { body: { type: 'object', properties, required } },
});

/** The address of the next page, if there is one. */
function linkNext(reply: FastifyReply, url: string, rows: Row[], limit: number, keys: (last: Row) => unknown[]): void {
  if (rows.length <= limit) return;
  const [pathname, parameters] = url.split('?', 2);
  const listId = createHash('sha256').update(pathname!).digest('base64url').slice(0, 8);
  const cursor = Buffer.from(JSON.stringify([listId, ...keys(rows[limit - 1]!)])).toString('base64url');
  const before = parameters === undefined ? '' : `${parameters}&`;
  void reply.header('link', `<${pathname}?${before}cursor=${cursor}>; rel="next"`);
}

const usersOfGym = each(SQL.usersOfGym);
app.get<{ Querystring: { limit: number } }>('/api/v1/users', query({ limit: LIMIT }), async (request, reply) => {
  const { gym_id } = await signedInAs(request, STAFF);
  const { limit } = request.query;
  const rows = await ask(usersOfGym(limit), gym_id);
  linkNext(reply, request.url, rows, limit, (last) => [last[3], Number(last[0])]);
  return send(reply, list(rows, limit, user));
});

app.get<{ Params: { document_id: string } }>('/api/v1/users/search/document/:document_id', async (request, reply) => {
  const { gym_id } = await signedInAs(request, STAFF);
  const [row] = await ask(SQL.USER_BY_DOCUMENT, await fold(request.params.document_id), gym_id);
  if (!row) throw new Problem(404, 'user_not_found', 'There is no such person');
  return send(reply, user(row));
});

app.get<{ Params: { phone_number: string } }>('/api/v1/users/search/phone/:phone_number', async (request, reply) => {
  const { gym_id } = await signedInAs(request, STAFF);
  const digits = request.params.phone_number.replace(/\D/g, '');
  if (digits.length < 3) throw invalid('phone_number', 'must have at least 3 digits');
  return send(reply, list(await ask(SQL.USERS_BY_PHONE, gym_id, `%${digits}%`), 50, user));
});

const usersByText = each(SQL.usersByText);
/** A word that is too short for a trigram, or is several in the index, stands at the beginning of one. */
const pattern = (form: string): string => `${form.length < 3 || form.includes(' ') ? '% ' : '%'}${form}%`;

app.get<{ Querystring: { q: string; limit: number } }>(
  '/api/v1/users/search',
  query({ q: { type: 'string', maxLength: 100 }, limit: LIMIT }, ['q']),
  async (request, reply) => {
    const { gym_id } = await signedInAs(request, STAFF);
    const typed = request.query.q.trim();
    if (typed === '') throw invalid('q', 'must not be empty');
    const words = typed
      .split(/[\s\p{P}\p{S}\p{Z}]+/u)
      .filter(Boolean)
      .slice(0, 6);
    if (words.length === 0) return send(reply, '[]');
    const digits = typed.replace(/\D/g, '');
    const looksLikePhone = digits.length >= 3 && /^[-+().\d\s/]+$/.test(typed);
    const forms = await Promise.all(words.map(searchForm));
    const inOrder = await searchForm(words.join(' '));
    const statement = usersByText(words.length, looksLikePhone, request.query.limit);
    const rows = await ask(statement, gym_id, await fold(typed), digits, inOrder, ...forms.map(pattern));
    return send(reply, list(rows, request.query.limit, user));
  },
);

interface NewPerson {
  email: string;
  username?: string;
  full_name: string;
  document_id: string;
  phone_number: string;
  language: string;
  role: string;
  gym_id: number;
}
const TAKEN: Record<string, [string, string]> = {
  users_email_key: ['email_taken', 'Another account has this email'],
  users_username_key: ['username_taken', 'Another account has this username'],
  users_document_id_key: ['document_id_taken', 'Another account has this document'],
};
const clean = (text: string): string => text.normalize('NFC').trim();

app.post<{ Body: NewPerson }>(
  '/api/v1/users/regular',
  body(
    {
      email: { type: 'string', format: 'email', maxLength: 254 },
      username: { type: 'string', pattern: '^[A-Za-z0-9._-]{3,50}$' },
      full_name: { type: 'string', minLength: 1, maxLength: 200 },
      document_id: { type: 'string', minLength: 1, maxLength: 50 },
      phone_number: { type: 'string', pattern: '^(?=(\\D*\\d){3,20}\\D*$)[-+().\\d\\s/]{3,40}$' },
      language: { enum: ['en', 'es', 'ar'], default: 'en' },
      role: { const: 'user', default: 'user' },
      gym_id: ID,
    },
    ['email', 'full_name', 'document_id', 'phone_number', 'gym_id'],
  ),
  async (request, reply) => {
    await signedInAs(request, ['admin']);
    const { email, username = null, full_name, document_id, phone_number, language, role, gym_id } = request.body;
    const values = [clean(email), username, clean(full_name), clean(document_id), phone_number, language, role, gym_id];
    const [row] = await ask(SQL.CREATE_USER, ...values).catch(({ constraint, message }: Refused) => {
      const taken = TAKEN[constraint!];
      throw taken ? new Problem(409, ...taken) : new Error(message);
    });
    if (row) return send(reply, user(row), 201);
    const [gym] = await ask(SQL.GYM_IS_ACTIVE, gym_id);
    throw gym ? new Problem(409, 'gym_inactive', 'This gym is inactive') : invalid('gym_id', 'is not a gym');
  },
);

const visitsOfDay = each(SQL.visitsOfDay);
app.get<{ Params: { date: string }; Querystring: { limit: number } }>(
  '/api/v1/attendance/daily/:date',
  { schema: { params: { type: 'object', properties: { date: DAY } }, ...query({ limit: LIMIT }).schema } },
  async (request, reply) => {
    const { gym_id } = await signedInAs(request, DESK);
    const { date } = request.params;
    const { limit } = request.query;
    const rows = await ask(visitsOfDay(limit), gym_id, date);
    linkNext(reply, request.url, rows, limit, (last) => [timeOf(last[11]!), Number(last[0])]);
    return send(
      reply,
      list(rows, limit, (row) => visit(row, date)),
    );
  },
);

app.post<{ Body: { user_id: number; location: string | null; notes: string | null } }>(
  '/api/v1/attendance',
  body(
    {
      user_id: ID,
      location: { type: 'string', minLength: 1, maxLength: 200, nullable: true, default: null },
      notes: { type: 'string', maxLength: 1000, nullable: true, default: null },
    },
    ['user_id'],
  ),
  async (request, reply) => {
    const actor = await signedInAs(request, DESK);
    const { user_id, location, notes } = request.body;
    const [row] = await ask(SQL.CHECK_IN, user_id, actor.user_id, actor.scope, location, notes).catch(
      async ({ constraint, message }: Refused) => {
        if (constraint !== 'attendance_one_open_visit') throw new Error(message);
        const [[name] = []] = await ask(SQL.NAME_OF_MEMBER, user_id);
        const detail = `${name} is already checked in.`;
        throw new Problem(409, 'already_checked_in', 'This member is checked in already', detail);
      },
    );
    if (!row) throw await whyNoVisit(actor, user_id);
    const json = visit(row, row[21]!);
    tell(`["member_checked_in",${json}]`);
    numbersChanged(row[2]!);
    return send(reply, json, 201);
  },
);

async function whyNoVisit(actor: Actor, userId: number): Promise<Problem> {
  const [member] = await ask(SQL.MEMBER_IS_ACTIVE, userId, actor.scope);
  if (!member) return invalid('user_id', 'is not a member of the gym');
  if (member[0] === 't') return new Problem(409, 'gym_inactive', 'This gym is inactive');
  return new Problem(409, 'member_inactive', 'This member is deactivated');
}

app.post<{ Body: { product_id: number; quantity: number } }>(
  '/api/v1/sales',
  body({ product_id: ID, quantity: { type: 'integer', minimum: 1, maximum: 10_000 } }, ['product_id', 'quantity']),
  async (request, reply) => {
    const actor = await signedInAs(request, DESK);
    const { product_id, quantity } = request.body;
    const [row] = await ask(SQL.SELL, product_id, quantity, actor.user_id, actor.scope);
    if (row) return send(reply, sale(row), 201);
    const [product] = await ask(SQL.PRODUCT, product_id, actor.scope);
    if (!product) throw invalid('product_id', 'is not a product of the gym');
    if (product[0] === 'f') throw new Problem(409, 'product_inactive', 'This product is not sold any more');
    if (product[1] === 'f') throw new Problem(409, 'gym_inactive', 'This gym is inactive');
    const left = `There are ${product[2]} left.`;
    throw new Problem(409, 'insufficient_stock', 'There is not enough in stock', left);
  },
);

const salesSummary = each(SQL.salesSummary);
app.get<{ Querystring: { start_date: string; end_date: string } }>(
  '/api/v1/sales/summary',
  query({ start_date: DAY, end_date: DAY }, ['start_date', 'end_date']),
  async (request, reply) => {
    const { gym_id, user_id, role } = await signedInAs(request, STAFF);
    const { start_date, end_date } = request.query;
    const own = role === 'reception' || role === 'trainer';
    const rows = await ask(salesSummary(own), gym_id, start_date, end_date, ...(own ? [user_id] : []));
    return send(reply, summary(rows, start_date, end_date));
  },
);

const REFUSALS: Record<string, [number, string]> = {
  slot_not_found: [404, 'This hour does not exist on that day'],
  gym_inactive: [409, 'This gym is inactive'],
  slot_over: [409, 'This hour is over'],
  too_far_ahead: [409, 'This day cannot be booked yet'],
  slot_closed: [409, 'The gym is closed at this hour'],
  already_booked: [409, 'This person has booked this hour already'],
  slot_taken: [409, 'This hour is booked out'],
  too_many_bookings: [409, 'This person has as many hours on this day as one may have'],
};

app.post<{ Params: { slot_id: number }; Body: { date: string | null; user_id?: number } }>(
  '/api/v1/slots/:slot_id/book',
  {
    schema: {
      params: { type: 'object', properties: { slot_id: { type: 'integer', minimum: 0, maximum: 23 } } },
      ...body({ date: { ...DAY, nullable: true, default: null }, user_id: ID }).schema,
    },
  },
  async (request, reply) => {
    const actor = await signedInAs(request, DESK_AND_MEMBERS);
    const { date, user_id = actor.user_id } = request.body;
    if (user_id !== actor.user_id && !DESK.includes(actor.role)) {
      throw new Problem(403, 'only_for_yourself', 'Only staff books and cancels for others');
    }
    const values = [actor.gym_id, request.params.slot_id, date, user_id, actor.user_id] as const;
    let [row] = (await ask(SQL.BOOK, ...values, false)) as [Row];
    // Who found it free and did not get it was second: the next look says why. A limit of hours a day needs a lock.
    while (row[0] !== null && row[1] === null && row[3] === null) {
      [row] =
        Number(row[2]) >= 24
          ? ((await ask(SQL.BOOK, ...values, false)) as [Row])
          : ((await askTogether([SQL.LOCK_PERSON, user_id], [SQL.BOOK, ...values, true]))[1] as [Row]);
    }
    if (row[0] === null) throw invalid('user_id', 'is not an active person of the gym');
    const refusal = row[1] as string | null;
    if (refusal !== null) throw new Problem(REFUSALS[refusal]![0], refusal, REFUSALS[refusal]![1]);
    tell(`["slots_changed",${row[6]},"${row[5]}",${row[4]}]`);
    return send(reply, booking(row, 3), 201);
  },
);

addSignIn(app);

const url = await app.listen({ port: Number(process.env.PORT ?? 0), host: '127.0.0.1' });
process.stdout.write(`running at ${url}\n`);
