import { existsSync } from 'node:fs';
import path from 'node:path';
import { plainToInstance, Transform } from 'class-transformer';
import {
  IsEmail,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  MinLength,
  ValidateBy,
  validateSync,
} from 'class-validator';
import { IsPassword } from '../common/http/fields.js';
import { ConfigError } from './config-error.js';
import { fillSecrets } from './secrets.js';

const ToInt = () =>
  Transform(({ value }: { value: unknown }) => (/^-?\d+$/.test(String(value)) ? Number(value) : value));
const ToBoolean = () =>
  Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value));

const KEY_RING = /^[\w-]+:[A-Za-z0-9+/]{43}=(,[\w-]+:[A-Za-z0-9+/]{43}=)*$/;
const repeatedKeyIds = (keys: string): string[] => {
  const ids = keys.split(',').map((pair) => pair.split(':')[0]!);
  return ids.filter((id, index) => ids.indexOf(id) !== index);
};
const IsKeyRing = () =>
  ValidateBy({
    name: 'isKeyRing',
    validator: {
      validate: (value) => typeof value === 'string' && KEY_RING.test(value) && repeatedKeyIds(value).length === 0,
      defaultMessage: (given) =>
        KEY_RING.test(String(given?.value))
          ? `has two keys with the id ${repeatedKeyIds(String(given?.value))[0]}: give each its own`
          : 'must be id:base64 pairs of 32-byte keys, comma-separated (openssl rand -base64 32 makes one)',
    },
  });

/** Everything the server can be told from outside. `.env.example` documents the same names; a test compares the two. */
export class Config {
  @IsIn(['development', 'test', 'production'])
  NODE_ENV = 'development';

  /** Address to listen on. Loopback by default, because a fresh install has a known admin password. */
  @IsString()
  HOST = '127.0.0.1';

  @ToInt()
  @IsInt()
  @Min(0)
  @Max(65535)
  PORT = 8000;

  /** Unset: an embedded PostgreSQL under DATA_DIR. */
  @IsOptional()
  @Matches(/^postgres(ql)?:\/\/./, { message: 'must look like postgres://user:password@host:5432/database' })
  DATABASE_URL?: string;

  /** Connections this process may hold open; PostgreSQL's max_connections must cover every process. */
  @ToInt()
  @IsInt()
  @Min(2)
  @Max(500)
  DATABASE_POOL_SIZE = 20;

  /** How several servers reach each other's sockets; unset: over PostgreSQL. */
  @IsOptional()
  @Matches(/^rediss?:\/\/./, { message: 'must look like redis://user:password@host:6379' })
  REDIS_URL?: string;

  /** Folder of the embedded database and of generated secrets. */
  @IsString()
  DATA_DIR = '.data';

  @IsString()
  @MinLength(32)
  JWT_SECRET: string;

  /** `id:base64` pairs of 32 bytes, comma-separated; the first encrypts, all decrypt. */
  @IsKeyRing()
  ENCRYPTION_KEYS: string;

  /** The same form, for fingerprints. */
  @IsKeyRing()
  FINGERPRINT_KEYS: string;

  /** 0: an access token is good until sign-out, for clients that know no refresh. */
  @ToInt()
  @IsInt()
  @Min(0)
  @Max(525600)
  ACCESS_TOKEN_EXPIRE_MINUTES = 60;

  @ToInt()
  @IsInt()
  @Min(1)
  @Max(365)
  REFRESH_TOKEN_EXPIRE_DAYS = 2;

  /** Cost of a password hash (2^n rounds). */
  @ToInt()
  @IsInt()
  @Min(4)
  @Max(15)
  BCRYPT_ROUNDS = 10;

  /** Failed sign-ins in 15 minutes, from one address, before it has to wait. A gym's members share one address. */
  @ToInt()
  @IsInt()
  @Min(1)
  SIGN_IN_FAILURES_PER_ADDRESS = 50;

  /** Failed sign-ins in 15 minutes, on one account from addresses it was never used from, before they have to wait. */
  @ToInt()
  @IsInt()
  @Min(1)
  SIGN_IN_FAILURES_PER_ACCOUNT = 10;

  /** People who may register by themselves in 15 minutes from one address. */
  @ToInt()
  @IsInt()
  @Min(1)
  REGISTRATIONS_PER_ADDRESS = 200;

  /** Proxies in front of the server whose X-Forwarded-For is believed. */
  @ToInt()
  @IsInt()
  @Min(0)
  @Max(10)
  TRUST_PROXY_HOPS = 0;

  /** Origins of browser clients, comma-separated; `*` for any; empty for none. */
  @IsString()
  CORS_ORIGINS = '';

  /** Largest request body in bytes. */
  @ToInt()
  @IsInt()
  @Min(1024)
  BODY_LIMIT = 1_048_576;

  @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
  LOG_LEVEL = 'info';

  /** The first admin in production; asked for once, on an empty database. */
  @IsOptional()
  @IsEmail()
  ADMIN_EMAIL?: string;

  @IsOptional()
  @IsPassword()
  ADMIN_PASSWORD?: string;

  /** Adds the demo gym at start, once. */
  @ToBoolean()
  @IsIn([true, false], { message: 'must be true or false' })
  SEED_DEMO = false;

  get production(): boolean {
    return this.NODE_ENV === 'production';
  }

  get data_dir(): string {
    return path.resolve(this.DATA_DIR);
  }
}

/**
 * Reads and checks the environment (and `.env`, which does not override it), and generates what may be generated.
 * @throws ConfigError naming every wrong setting
 */
export function loadConfig(environment: NodeJS.ProcessEnv = readEnvironment()): Config {
  // An empty value is an unset one: `DATABASE_URL=` in a .env file means the embedded database.
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const known = Object.keys(set).filter((name) => SETTINGS.has(name));
  const values = Object.fromEntries(known.map((name) => [name, set[name]]));
  const config = plainToInstance(Config, values, { exposeDefaultValues: true });
  fillSecrets(config);
  const errors = validateSync(config, { skipMissingProperties: false });
  if (errors.length > 0) {
    const sentences = errors.map(({ property, value, constraints }) => {
      const { isInt, ...others } = constraints ?? {};
      const reason = (isInt ?? Object.values(others)[0])?.replace(`${property} `, '');
      return SECRETS.has(property) || value === undefined
        ? `${property} ${reason}`
        : `${property} ${reason}, but is ${JSON.stringify(value)}`;
    });
    throw new ConfigError(`${sentences.join('; ')}. See .env.example.`);
  }
  if (config.SEED_DEMO) refuseDemo(config);
  return config;
}

/** @throws ConfigError where real people are: the passwords of the demo are public */
export function refuseDemo({ production }: Config): void {
  if (production) {
    throw new ConfigError('The demo gym has accounts with known passwords: it is not added with NODE_ENV=production.');
  }
}

const SECRETS = new Set([
  'JWT_SECRET',
  'ENCRYPTION_KEYS',
  'FINGERPRINT_KEYS',
  'ADMIN_PASSWORD',
  'DATABASE_URL',
  'REDIS_URL',
]);

/** The names of all settings. */
export const SETTINGS: ReadonlySet<string> = new Set([
  ...Object.keys(new Config()),
  'DATABASE_URL',
  'REDIS_URL',
  'JWT_SECRET',
  'ENCRYPTION_KEYS',
  'FINGERPRINT_KEYS',
  'ADMIN_EMAIL',
  'ADMIN_PASSWORD',
]);

/** Whether `npm start` is our parent. */
export const isStartedByNpm = (): boolean => process.env.npm_lifecycle_event !== undefined;

function readEnvironment(): NodeJS.ProcessEnv {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}
