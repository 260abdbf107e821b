import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { applyDecorators } from '@nestjs/common';
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
  ValidateIf,
  validateSync,
} from 'class-validator';
import { closest, distance } from 'fastest-levenshtein';
import { IsPassword } from '../common/http/fields.js';
import { MAX_ID } from '../common/http/whole.js';
import { ConfigError } from './config-error.js';
import { packageRoot } from './package-root.js';
import { fillSecrets, isGenerated } from './secrets.js';

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

/** A scheme and a host, as a browser sends it: no path, no slash at the end. */
const ORIGINS = /^( *(\*|null|[a-z][a-z0-9+.-]*:\/\/[^/,\s]+) *(,|$))*$/;

/** Null if it is none, or if its `%` stand for nothing. */
function readAddress(text: string): URL | null {
  try {
    // PostgreSQL's may name its host (or the folder of its socket) behind the `?` alone.
    const address = new URL(text.replace(/^(postgres(?:ql)?:\/\/[^/]*@)\//, '$1localhost/'));
    decodeURIComponent(`${address.username}:${address.password}`);
    return address;
  } catch {
    return null;
  }
}

/**
 * An address that can be used. It is read here, before the libraries do: they would print it with its password, throw
 * something else than a sentence, or find the mistake when it is too late.
 */
const IsAddress = (start: RegExp, message: string, fits: (address: URL) => boolean) =>
  ValidateBy({
    name: 'isAddress',
    validator: {
      validate: (value) => {
        const address = start.test(String(value)) ? readAddress(String(value)) : null;
        return address !== null && address.hash === '' && fits(address);
      },
      defaultMessage: () => message,
    },
  });

/** Of a server that asks for a password: what ends the password in an address must not stand in it. */
const IsServer = (start: RegExp, example: string, fits: (address: URL) => boolean = () => true) =>
  IsAddress(
    start,
    `must look like ${example}, with # / ? @ % in the password written as %23 %2F %3F %40 %25`,
    (address) => !address.pathname.includes('@') && fits(address),
  );

/** Others append to it. */
const IsWebAddress = (example: string) =>
  IsAddress(
    /^https?:\/\/[^/\s]\S*$/,
    `must look like ${example}, without ? or # or a password`,
    ({ username, password, search }) => `${username}${password}${search}` === '',
  );

const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full', 'no-verify'];
const IsPostgres = () =>
  applyDecorators(
    IsServer(/^postgres(ql)?:\/\/./, 'postgres://user:password@host:5432/database'),
    ValidateBy({
      name: 'hasSslMode',
      validator: {
        validate: (url) => [null, ...SSL_MODES].includes(sslModeOf(String(url))),
        defaultMessage: (given) =>
          `has sslmode=${sslModeOf(String(given?.value))}: it must be one of ${SSL_MODES.join(', ')}`,
      },
    }),
  );
const sslModeOf = (url: string): string | null => new URLSearchParams(url.split('?', 2)[1]).get('sslmode');

/** What a bucket needs. */
const IsForBucket = () =>
  applyDecorators(
    ValidateIf(({ S3_BUCKET }: Config) => S3_BUCKET !== undefined),
    IsString({ message: 'must be set, because S3_BUCKET is' }),
  );

/** The families of old clients; see docs/legacy. */
export const LEGACY_FAMILIES = ['fastapi-gym', 'av-checkins', 'gymgem', 'flutter-app', 'rero-slots'] as const;
export type LegacyFamily = (typeof LEGACY_FAMILIES)[number];
const readFamilies = (names: string): string[] =>
  names === 'all' ? [...LEGACY_FAMILIES] : names === 'none' ? [] : names.split(',').map((name) => name.trim());
const isFamily = (name: string): name is LegacyFamily => (LEGACY_FAMILIES as readonly string[]).includes(name);
const IsFamilies = () =>
  ValidateBy({
    name: 'isFamilies',
    validator: {
      validate: (value) => typeof value === 'string' && readFamilies(value).every(isFamily),
      defaultMessage: () => `must be all, none, or some of ${LEGACY_FAMILIES.join(', ')} with commas between them`,
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
  @IsPostgres()
  DATABASE_URL?: string;

  /** Connections this process may hold open; PostgreSQL's max_connections must cover every process. */
  @ToInt()
  @IsInt()
  @Min(2)
  @Max(500)
  DATABASE_POOL_SIZE = 20;

  /** Unset: attachments are files under DATA_DIR. */
  @IsOptional()
  @Matches(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { message: 'must be the name of a bucket' })
  S3_BUCKET?: string;

  /** Of a service that speaks S3; unset: Amazon's. */
  @IsOptional()
  @IsWebAddress('https://s3.example.com')
  S3_ENDPOINT?: string;

  @IsForBucket()
  S3_REGION?: string;

  @IsForBucket()
  S3_ACCESS_KEY_ID?: string;

  @IsForBucket()
  S3_SECRET_ACCESS_KEY?: string;

  /** The bucket stands in the path of an address, not in the name of its host. */
  @ToBoolean()
  @IsIn([true, false], { message: 'must be true or false' })
  S3_FORCE_PATH_STYLE = false;

  /** How several servers reach each other's sockets; unset: over PostgreSQL. */
  @IsOptional()
  @IsServer(/^rediss?:\/\/./, 'redis://user:password@host:6379/0', ({ pathname }) => /^\/?\d*$/.test(pathname))
  REDIS_URL?: string;

  /** How mail is sent; unset: it is printed to the log in development, and not sent in production. */
  @IsOptional()
  @IsServer(/^smtps?:\/\/./, 'smtp://user:password@host:587', ({ host }) => URL.canParse(`http://${host}`))
  SMTP_URL?: string;

  /** Who mail is from. */
  @IsString()
  @Matches(/^[^<>@]*<[^<>@\s]+@[^<>@\s]+>$|^[^<>@\s]+@[^<>@\s]+$/, { message: 'must look like Gym <desk@gym.com>' })
  MAIL_FROM = 'Spotter <spotter@localhost>';

  /** Where people reach this server, for links in mail; unset: this machine. */
  @IsOptional()
  @IsWebAddress('https://gym.example')
  PUBLIC_URL?: string;

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

  /** Life of an access token that staff got from an old client, which never refreshes; its session lasts two days. */
  @ToInt()
  @IsInt()
  @Min(1)
  @Max(48)
  LEGACY_STAFF_TOKEN_HOURS = 12;

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
  @Matches(ORIGINS, { message: 'must be origins like https://app.gym.example, comma-separated, or *' })
  CORS_ORIGINS = '';

  /** Which families of old clients work: `all`, `none` or their names, comma-separated. See `hasLegacy`. */
  @IsFamilies()
  LEGACY_CLIENTS = 'all';

  /** The gym whose hours and boards rero-slots shows without a token; unset: the first one that is not closed. */
  @IsOptional()
  @ToInt()
  @IsInt()
  @Min(1)
  @Max(MAX_ID)
  RERO_GYM_ID?: number;

  /** rero-slots shows all the email of who has an hour, as it did before. */
  @ToBoolean()
  @IsIn([true, false], { message: 'must be true or false' })
  RERO_OPEN_ADDRESSES = false;

  /** A console of fastapi-gym needs no token but the id of its staff member, as before. */
  @ToBoolean()
  @IsIn([true, false], { message: 'must be true or false' })
  FASTAPI_GYM_OPEN_CONSOLES = false;

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

  /** Fills an empty database with the demo at start, once. */
  @ToBoolean()
  @IsIn([true, false], { message: 'must be true or false' })
  SEED_DEMO = false;

  get legacy_families(): LegacyFamily[] {
    return readFamilies(this.LEGACY_CLIENTS).filter(isFamily);
  }

  get production(): boolean {
    return this.NODE_ENV === 'production';
  }

  /** Whether this family of old clients works. */
  hasLegacy(name: LegacyFamily): boolean {
    return this.legacy_families.includes(name);
  }

  /** What the operator has opened to all who reach the server; each is a sentence for the log. */
  get open_doors(): string[] {
    return [
      ...(this.RERO_OPEN_ADDRESSES && this.hasLegacy('rero-slots')
        ? ['RERO_OPEN_ADDRESSES is true: who has booked an hour is shown to all, with their email.']
        : []),
      ...(this.FASTAPI_GYM_OPEN_CONSOLES && this.hasLegacy('fastapi-gym')
        ? ['FASTAPI_GYM_OPEN_CONSOLES is true: a console needs no token, only the id of a staff member.']
        : []),
    ];
  }

  /** Without a slash at its end. */
  get public_url(): string {
    return (this.PUBLIC_URL ?? `http://localhost:${this.PORT}`).replace(/\/+$/, '');
  }

  get data_dir(): string {
    return path.resolve(packageRoot, this.DATA_DIR);
  }

  /** What the operator should look at, and that stops nothing. */
  hints: string[] = [];
}

/**
 * Reads and checks the environment (and the file `.env` beside package.json, which does not override it), and generates
 * what may be generated.
 * @throws ConfigError naming every wrong or missing setting
 */
export function loadConfig(
  environment: NodeJS.ProcessEnv = process.env,
  file = environment === process.env ? readEnvFile() : {},
): Config {
  // An empty value is an unset one: `DATABASE_URL=` in a .env file means the embedded database.
  const set = Object.fromEntries(Object.entries({ ...file, ...environment }).filter(([, value]) => value !== ''));
  const known = Object.keys(set).filter((name) => SETTINGS.has(name));
  const values = Object.fromEntries(known.map((name) => [name, set[name]]));
  const config = plainToInstance(Config, values, { exposeDefaultValues: true });
  const faults = fillSecrets(config);
  for (const { property, value, constraints } of validateSync(config, { skipMissingProperties: false })) {
    if (isGenerated(property) && value === undefined) continue;
    const { isInt, ...others } = constraints ?? {};
    const reason = (isInt ?? Object.values(others)[0])?.replace(`${property} `, '');
    const isShown = !SECRETS.has(property) && value !== undefined;
    faults.push(`${property} ${reason}${isShown ? `, but is ${JSON.stringify(value)}` : ''}`);
  }
  if (config.SEED_DEMO && config.production) faults.push(NO_DEMO);
  config.hints = Object.keys(file)
    .filter((name) => !SETTINGS.has(name))
    .map((name) => `.env sets ${name}, which is no setting of Spotter${guess(name)}`);
  if (faults.length > 0) {
    throw new ConfigError(
      [...faults, ...config.hints].map((fault) => `${fault}${/[.?]$/.test(fault) ? '' : '.'}`).join('\n') +
        '\nSee .env.example.',
    );
  }
  return config;
}

/** What was meant by a name, if it is nearly that of a setting. */
function guess(name: string): string {
  const near = closest(name.toUpperCase(), [...SETTINGS]);
  return distance(name.toUpperCase(), near) <= Math.max(2, near.length / 5) ? `. Is ${near} meant?` : '.';
}

const NO_DEMO = 'SEED_DEMO: the demo has accounts with known passwords; it is not added with NODE_ENV=production';

/** @throws ConfigError where real people are: the passwords of the demo are public */
export function refuseDemo({ production }: Config): void {
  if (production) {
    throw new ConfigError(`${NO_DEMO}.`);
  }
}

const SECRETS = new Set([
  'JWT_SECRET',
  'ENCRYPTION_KEYS',
  'FINGERPRINT_KEYS',
  'ADMIN_PASSWORD',
  'DATABASE_URL',
  'REDIS_URL',
  'SMTP_URL',
  // By mistake they may hold a password.
  'PUBLIC_URL',
  'S3_ENDPOINT',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
]);

/** The names of all settings. */
export const SETTINGS: ReadonlySet<string> = new Set([
  ...Object.keys(new Config()).filter((name) => name !== 'hints'),
  'DATABASE_URL',
  'REDIS_URL',
  'SMTP_URL',
  'PUBLIC_URL',
  'RERO_GYM_ID',
  'JWT_SECRET',
  'ENCRYPTION_KEYS',
  'FINGERPRINT_KEYS',
  'ADMIN_EMAIL',
  'ADMIN_PASSWORD',
  'S3_BUCKET',
  'S3_ENDPOINT',
  'S3_REGION',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
]);

/** Whether `npm start` is our parent. */
export const isStartedByNpm = (): boolean => process.env.npm_lifecycle_event !== undefined;

export function readEnvFile(file = path.join(packageRoot, '.env')): Record<string, string> {
  if (!existsSync(file)) return {};
  // Editors on Windows may begin it with a byte order mark, which would become part of the first name.
  return parseEnv(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')) as Record<string, string>;
}
