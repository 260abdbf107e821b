// The sign-in of the hand-written server: almost all of it is bcrypt, on two threads as in the server that is measured.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import jwt from 'jsonwebtoken';
import { Piscina } from 'piscina';
import { ask, askTogether, type Row } from './hand-written-db.js';
import { KEY, Problem, send } from './hand-written-http.js';
import { signedIn } from './hand-written-json.js';
import * as SQL from './hand-written-sql.js';
import { fold } from './hand-written-text.js';

const passwords = new Piscina<{ password: string; hash: string }, boolean>({
  filename: path.join(path.dirname(fileURLToPath(import.meta.url)), '../src/auth/password-worker.js'),
  minThreads: 2,
  maxThreads: 2,
});
/** The hash of a password that no account has: an account that is not there takes as long. */
const DECOY = '$2b$10$MVNBBqlBVM6JbC8rWn8vZuGuE/WZVbLuSQ8YEzTdRMQRyyPJWNzWK';
const LIFETIME = 3600;

const CREDENTIALS = {
  type: 'object',
  properties: { email: { type: 'string', maxLength: 254 }, password: { type: 'string', minLength: 1, maxLength: 72 } },
  required: ['email', 'password'],
};
const wrongCredentials = () =>
  new Problem(401, 'wrong_credentials', 'The email, username, phone or the password is wrong');

/** What was tried counts before it is judged, as a failure; a refused attempt counts where there is room. */
export function addSignIn(app: FastifyInstance): void {
  const schema = { body: CREDENTIALS };
  app.post<{ Body: { email: string; password: string } }>('/api/v1/auth/login', { schema }, async (request, reply) => {
    const { email, password } = request.body;
    const [tried] = (await ask(SQL.TRY_SIGN_IN, await fold(email.normalize('NFC')), request.ip)) as [Row];
    const [taken, keys, seconds, id, hash] = tried as [string, string, string, string | null, string | null];
    if (taken !== '2') throw new Problem(429, 'too_many_requests', 'Too many requests');
    const fits = await passwords.run({ password, hash: hash ?? DECOY });
    if (!fits || id === null) throw wrongCredentials();
    const ownBudget = /sign_in \d+(?: from [^"]+)?/.exec(keys)![0];
    const agent = request.headers['user-agent']?.slice(0, 200) ?? null;
    const answers = await askTogether(
      [SQL.GIVE_BACK, keys, seconds, ownBudget],
      [SQL.LOCK_PROVED, id, hash],
      [SQL.START_SESSION, id, hash, request.ip, agent],
      [SQL.END_OLD_SESSIONS, id],
    );
    const [session] = answers[2]!;
    if (!session) throw wrongCredentials();
    const claims = { sub: session[1], sid: Number(session[0]) };
    const access = jwt.sign({ typ: 'access', ...claims, role: session[6] }, KEY, { expiresIn: LIFETIME });
    const refresh = jwt.sign({ typ: 'refresh', ...claims, gen: 0 }, KEY, { expiresIn: '2d' });
    return send(reply, signedIn(session, access, refresh, LIFETIME));
  });
}
