import { createSecretKey } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { JwtService, type JwtSignOptions } from '@nestjs/jwt';
import { Actor } from '../common/actor/actor.js';
import { SessionEnded } from '../common/errors/common.errors.js';
import type { Config } from '../config/config.js';
import { JwtStrategy } from './jwt.strategy.js';
import type { SessionsService } from './sessions.service.js';

const JWT_SECRET = 'a secret that only this test knows, of some length';
const claims = { typ: 'access', sub: '7', sid: 12, role: 'trainer' };

const sign = (content: object, { secret = JWT_SECRET, ...options }: { secret?: string } & JwtSignOptions = {}) =>
  new JwtService().sign(content, {
    secret: createSecretKey(Buffer.from(secret)) as never,
    algorithm: 'HS256',
    expiresIn: 60,
    ...options,
  });

describe('the door for access tokens', () => {
  const access = { actor: new Actor(7, 'trainer', 2, 12), must_change_password: false };
  const accessOf = jest.fn<SessionsService['accessOf']>();
  let door: JwtStrategy;
  let verifications: jest.SpiedFunction<JwtStrategy['authenticate']>;
  const show = (token: string) => door.resolve({ headers: { authorization: `Bearer ${token}` } });

  beforeEach(() => {
    accessOf.mockReset().mockResolvedValue(access);
    door = new JwtStrategy({ JWT_SECRET } as Config, { accessOf } as unknown as SessionsService);
    verifications = jest.spyOn(door, 'authenticate');
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  it('verifies a token once, and asks for its session each time', async () => {
    const token = sign(claims);
    for (let time = 0; time < 3; time++) expect(await show(token)).toBe(access);
    expect(verifications).toHaveBeenCalledTimes(1);
    expect(accessOf.mock.calls).toEqual([1, 2, 3].map(() => [7, 12]));
    expect(await show(sign({ ...claims, sid: 13 }))).toBe(access);
    expect(accessOf).toHaveBeenLastCalledWith(7, 13);
  });

  it('refuses a token that it has verified, when it expires and when its session ends', async () => {
    const token = sign(claims);
    await show(token);
    accessOf.mockRejectedValueOnce(new SessionEnded());
    await expect(show(token)).rejects.toBeInstanceOf(SessionEnded);
    expect(await show(token)).toBe(access);
    jest.useFakeTimers({ now: Date.now() + 61_000 });
    await expect(show(token)).rejects.toMatchObject({ kind: { code: 'not_signed_in' } });
  });

  it.each([
    ['of another secret', sign(claims, { secret: 'another secret, which is as long as the first one' })],
    ['of another algorithm', sign(claims, { algorithm: 'HS512' })],
    [
      'without a signature',
      `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${sign(claims).split('.')[1]}.`,
    ],
    ['that has expired', sign(claims, { expiresIn: -1 })],
    ['that is a refresh token', sign({ ...claims, typ: 'refresh', gen: 0 })],
    ['that is none', 'nonsense'],
  ])('refuses a token %s, each time', async (_, token) => {
    const refusal = { kind: { code: 'not_signed_in' }, message: expect.stringContaining('not a valid access token') };
    for (let time = 0; time < 2; time++) await expect(show(token)).rejects.toMatchObject(refusal);
    expect(accessOf).not.toHaveBeenCalled();
    expect(verifications).toHaveBeenCalledTimes(2);
  });

  it.each([undefined, '', 'Bearer', 'Bearer ', 'Basic YTpi', 'Bearer two words'])(
    'refuses %j',
    async (authorization) => {
      await expect(door.resolve({ headers: { authorization } })).rejects.toMatchObject({
        kind: { code: 'not_signed_in' },
        message: 'Send the access token as "Authorization: Bearer <token>".',
      });
    },
  );
});
