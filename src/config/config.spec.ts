import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Config, LEGACY_FAMILIES as LEGACY, loadConfig, readEnvFile, SETTINGS } from './config.js';
import { ConfigError } from './config-error.js';
import { STOPPING_SECONDS } from '../stopping.js';

describe('the configuration', () => {
  const DATA_DIR = mkdtempSync(path.join(os.tmpdir(), 'spotter-config-'));
  afterAll(() => rmSync(DATA_DIR, { recursive: true }));

  it('is documented in .env.example: every setting with its default, and no other', () => {
    const lines = readFileSync('.env.example', 'utf8').matchAll(/^(\w+)=(.*)$/gm);
    const documented = Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
    const defaults = Object.fromEntries(
      [...SETTINGS].map((name) => [name, String(new Config()[name as keyof Config] ?? '')]),
    );
    expect(documented).toEqual(defaults);
  });

  it('takes defaults for what is not set or empty, and numbers as numbers', () => {
    const config = loadConfig({ DATA_DIR, PORT: '', DATABASE_URL: '', DATABASE_POOL_SIZE: '7', SEED_DEMO: 'true' });
    expect(config).toMatchObject({ PORT: 8000, DATABASE_POOL_SIZE: 7, SEED_DEMO: true, NODE_ENV: 'development' });
    expect(config.DATABASE_URL).toBeUndefined();
  });

  it('generates secrets once, for this user only', () => {
    const [first, second] = [loadConfig({ DATA_DIR }), loadConfig({ DATA_DIR })];
    expect(first.JWT_SECRET.length).toBeGreaterThanOrEqual(32);
    expect(second.JWT_SECRET).toBe(first.JWT_SECRET);
    expect(second.ENCRYPTION_KEYS).toBe(first.ENCRYPTION_KEYS);
    expect(second.FINGERPRINT_KEYS).toBe(first.FINGERPRINT_KEYS);
    expect(first.FINGERPRINT_KEYS).not.toBe(first.ENCRYPTION_KEYS);
    for (const file of ['secrets.json', 'fingerprint-keys.json']) {
      expect(statSync(path.join(DATA_DIR, file)).mode & 0o077).toBe(0);
    }
  });

  it('says which file of secrets lacks what, and shows nothing of it', () => {
    const folder = mkdtempSync(path.join(DATA_DIR, 'lacking-'));
    const both = 'has no JWT_SECRET and no ENCRYPTION_KEYS: put the file back from your backup';
    const lacking: Record<string, string> = {
      '{}': both,
      '': both,
      null: both,
      '{"JWT_SECRET": planted, ENCRYPTION_KEYS': both,
      '{"ENCRYPTION_KEYS": 7, "JWT_SECRET": "planted, and of more than 32 letters"}': 'has no ENCRYPTION_KEYS: put',
    };
    for (const [text, sentence] of Object.entries(lacking)) {
      writeFileSync(path.join(folder, 'secrets.json'), text);
      const load = () => loadConfig({ DATA_DIR: folder });
      expect(load).toThrow(`${folder}/secrets.json ${sentence}`);
      expect(load).not.toThrow('planted');
    }
  });

  it('names every wrong setting, and shows no secret', () => {
    const wrong = {
      DATA_DIR,
      PORT: 'x',
      NODE_ENV: 'prod',
      JWT_SECRET: 'too short',
      SEED_DEMO: 'yes',
      BCRYPT_ROUNDS: '99',
    };
    const load = () => loadConfig(wrong);
    expect(load).toThrow(ConfigError);
    for (const name of ['PORT', 'NODE_ENV', 'JWT_SECRET', 'SEED_DEMO', 'BCRYPT_ROUNDS']) expect(load).toThrow(name);
    expect(load).not.toThrow('too short');
  });

  it('wants secrets in production on a database that other servers may use', () => {
    const production = { DATA_DIR, NODE_ENV: 'production', DATABASE_URL: 'postgres://a@b/c' };
    expect(() => loadConfig(production)).toThrow(
      /JWT_SECRET must be set in production\.\nENCRYPTION_KEYS must be set.*\.\nFINGERPRINT_KEYS must be set/,
    );
    expect(() => loadConfig({ ...production, JWT_SECRET: 'x'.repeat(40) })).toThrow('ENCRYPTION_KEYS must be set');
    const others = { JWT_SECRET: 'x'.repeat(40), ENCRYPTION_KEYS: `k:${Buffer.alloc(32).toString('base64')}` };
    expect(() => loadConfig({ ...production, ...others })).toThrow('FINGERPRINT_KEYS must be set');
  });

  it('wants an id of its own for each key, and names the one that is there twice, not the key', () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    for (const name of ['ENCRYPTION_KEYS', 'FINGERPRINT_KEYS']) {
      const load = () => loadConfig({ DATA_DIR, [name]: `new:${key},old:${key},new:${key}` });
      expect(load).toThrow(`${name} has two keys with the id new`);
      expect(load).not.toThrow(key);
    }
  });

  it('wants all that a bucket needs, and shows no key of it', () => {
    expect(loadConfig({ DATA_DIR, S3_REGION: 'eu-central-1' }).S3_BUCKET).toBeUndefined();
    const bucket = { DATA_DIR, S3_BUCKET: 'gym-files', S3_REGION: 'eu-central-1', S3_ACCESS_KEY_ID: 'planted-key' };
    expect(() => loadConfig(bucket)).toThrow('S3_SECRET_ACCESS_KEY must be set, because S3_BUCKET is');
    const all = { ...bucket, S3_SECRET_ACCESS_KEY: 'planted-secret', S3_FORCE_PATH_STYLE: 'true' };
    expect(loadConfig(all)).toMatchObject({ S3_FORCE_PATH_STYLE: true, S3_SECRET_ACCESS_KEY: 'planted-secret' });
    const wrong = () => loadConfig({ ...all, S3_BUCKET: 'Not a bucket', S3_ENDPOINT: 's3.example.com' });
    for (const name of ['S3_BUCKET', 'S3_ENDPOINT']) expect(wrong).toThrow(name);
    expect(wrong).not.toThrow('planted');
  });

  it('says which families of old clients work, and refuses a name that is none', () => {
    const working = (list: string) => {
      const config = loadConfig({ DATA_DIR, LEGACY_CLIENTS: list });
      return LEGACY.filter((name) => config.hasLegacy(name));
    };
    expect(working('')).toEqual(LEGACY);
    expect(working('all')).toEqual(LEGACY);
    expect(working('none')).toEqual([]);
    expect(working('flutter-app, gymgem')).toEqual(['gymgem', 'flutter-app']);
    for (const wrong of ['flutter', 'all,gymgem', 'none,gymgem', 'gymgem,', ',', 'GymGem'])
      expect(() => working(wrong)).toThrow(
        'LEGACY_CLIENTS must be all, none, or some of fastapi-gym, av-checkins, gymgem, flutter-app, rero-slots with ' +
          `commas between them, but is "${wrong}"`,
      );
    expect(loadConfig({ DATA_DIR, RERO_GYM_ID: '' }).RERO_GYM_ID).toBeUndefined();
    expect(loadConfig({ DATA_DIR, RERO_GYM_ID: '7' }).RERO_GYM_ID).toBe(7);
    for (const wrong of ['0', '-1', 'x', '2147483648'])
      expect(() => loadConfig({ DATA_DIR, RERO_GYM_ID: wrong })).toThrow('RERO_GYM_ID');
  });

  it('names what it opens to all, where that family works', () => {
    const open = { DATA_DIR, RERO_OPEN_ADDRESSES: 'true', FASTAPI_GYM_OPEN_CONSOLES: 'true' };
    const doors = (settings: object) =>
      loadConfig({ ...open, ...settings }).open_doors.map((door) => door.split(' ')[0]);
    expect(doors({})).toEqual(['RERO_OPEN_ADDRESSES', 'FASTAPI_GYM_OPEN_CONSOLES']);
    expect(doors({ RERO_OPEN_ADDRESSES: 'false' })).toEqual(['FASTAPI_GYM_OPEN_CONSOLES']);
    expect(doors({ LEGACY_CLIENTS: 'rero-slots' })).toEqual(['RERO_OPEN_ADDRESSES']);
    expect(loadConfig({ DATA_DIR }).open_doors).toEqual([]);
    expect(() => loadConfig({ ...open, RERO_OPEN_ADDRESSES: 'yes' })).toThrow(
      'RERO_OPEN_ADDRESSES must be true or false',
    );
  });

  it('tells all that is missing and all that is wrong at once', () => {
    const load = () =>
      loadConfig({ DATA_DIR, NODE_ENV: 'production', DATABASE_URL: 'postgres://a@b/c', PORT: 'x', SEED_DEMO: 'true' });
    for (const name of ['JWT_SECRET', 'ENCRYPTION_KEYS', 'FINGERPRINT_KEYS', 'PORT', 'SEED_DEMO']) {
      expect(load).toThrow(new RegExp(`^${name}\\b`, 'm'));
    }
  });

  it('points to a mistyped name in .env, and to what was meant', () => {
    const { hints, PORT } = loadConfig({ DATA_DIR }, { PROT: '9000', CORS_ORIGIN: '*', POSTGRES_PASSWORD: 'x' });
    expect(PORT).toBe(8000);
    expect(hints).toEqual([
      '.env sets PROT, which is no setting of Spotter. Is PORT meant?',
      '.env sets CORS_ORIGIN, which is no setting of Spotter. Is CORS_ORIGINS meant?',
      '.env sets POSTGRES_PASSWORD, which is no setting of Spotter.',
    ]);
    expect(() => loadConfig({ DATA_DIR, PORT: 'x' }, { PROT: '1' })).toThrow('Is PORT meant?');
  });

  it('takes the first line of .env also behind a byte order mark', () => {
    const file = path.join(DATA_DIR, '.env');
    writeFileSync(file, '\uFEFFPORT=9000\r\nHOST=0.0.0.0\r\n');
    expect(loadConfig({ DATA_DIR }, readEnvFile(file))).toMatchObject({ PORT: 9000, HOST: '0.0.0.0', hints: [] });
  });

  it('takes origins as browsers send them, and nothing else', () => {
    for (const good of [
      '',
      '*',
      'https://app.gym.example',
      'https://a.b, http://localhost:3000',
      'capacitor://localhost',
    ]) {
      expect(loadConfig({ DATA_DIR, CORS_ORIGINS: good }).CORS_ORIGINS).toBe(good);
    }
    for (const bad of [
      'app.gym.example',
      'https://a.b/',
      'https://a.b/path',
      'https://a.b;https://c.d',
      'localhost:3000',
    ]) {
      expect(() => loadConfig({ DATA_DIR, CORS_ORIGINS: bad })).toThrow('CORS_ORIGINS must be origins like');
    }
  });

  it('takes the ways to TLS that it knows, and shows no password', () => {
    const url = 'postgres://user:planted@db.example/gym?sslmode=';
    for (const mode of ['disable', 'require', 'verify-ca', 'verify-full', 'no-verify']) {
      expect(loadConfig({ DATA_DIR, DATABASE_URL: url + mode }).DATABASE_URL).toBe(url + mode);
    }
    for (const mode of ['prefer', 'on', 'true']) {
      const load = () => loadConfig({ DATA_DIR, DATABASE_URL: url + mode });
      expect(load).toThrow(`DATABASE_URL has sslmode=${mode}: it must be one of disable, require`);
      expect(load).not.toThrow('planted');
    }
  });

  it('takes addresses of every form that works', () => {
    const good = {
      DATABASE_URL: [
        'postgres://user:pa%23ss%2F@db.example:5432/gym?sslmode=verify-full&options=-c%20search_path%3Dgym',
        'postgresql://user@127.0.0.1/gym?user=me@server&application_name=x',
        'postgres://user:p@ss@[::1]/gym',
        'postgres://user@/gym?host=/var/run/postgresql',
        'postgres:///gym?host=/var/run/postgresql',
        'postgres://user:secret@%2Fvar%2Frun%2Fpostgresql/gym',
        'postgres://my_db/gym',
      ],
      REDIS_URL: [
        'redis://redis',
        'redis://:se:cret@10.0.0.5:6379/',
        'rediss://user:s%25@my_redis:6380/1',
        'redis:///2',
      ],
      SMTP_URL: [
        'smtp://mail.example',
        'smtps://me%40gym.example:p%3Fw@mail.example:465?tls.rejectUnauthorized=false',
        'smtp://user:p@ss\\w@größe.example/?pool=true',
        'smtp://[::1]:25',
      ],
      PUBLIC_URL: ['https://gym.example', 'http://127.0.0.1:8000/', 'https://größe.example/behind/a/proxy'],
      S3_ENDPOINT: ['https://s3.example.com', 'http://minio:9000', 'http://minio:9000/path/'],
    };
    for (const [name, addresses] of Object.entries(good)) {
      for (const address of addresses) expect(loadConfig({ DATA_DIR, [name]: address })).toHaveProperty(name, address);
    }
  });

  it('says of an address that cannot be used how it must be, and shows nothing of it', () => {
    const everywhere = ['u:planted@host:port', 'u:planted@host:99999', 'u:planted@host/#x', 'ho st/planted', ''];
    const inPasswords = [
      'u:planted#x@host',
      'u:planted/x@host',
      'u:planted?x@host',
      'u:planted%zz@host',
      'u:1/x@planted',
    ];
    const bad: Record<string, [schemes: string[], addresses: string[], sentence: string]> = {
      DATABASE_URL: [
        ['postgres', 'postgresql'],
        [...inPasswords, 'u:planted?sslmode=planted@host'],
        'must look like postgres://user:password@host:5432/database, with # / ? @ % in the password written as %23',
      ],
      REDIS_URL: [
        ['redis', 'rediss'],
        [...inPasswords, 'u:planted@host/database'],
        'must look like redis://user:password@host:6379/0, with # / ? @ % in the password written as %23',
      ],
      SMTP_URL: [
        ['smtp', 'smtps'],
        [...inPasswords, '/', 'u:planted@1.2.3.999', 'u:planted@a%20b'],
        'must look like smtp://user:password@host:587, with # / ? @ % in the password written as %23',
      ],
      PUBLIC_URL: [
        ['http', 'https'],
        ['/', '/planted', 'planted/?x=1', 'planted/a b', 'u:planted@host', 'planted '],
        'must look like https://gym.example, without',
      ],
      S3_ENDPOINT: [
        ['http', 'https'],
        ['/', '/planted', 'planted?x=1', 'u:planted@host'],
        'must look like https://s3.example.com, without',
      ],
    };
    for (const [name, [schemes, own, sentence]] of Object.entries(bad)) {
      const addresses = [...everywhere, ...own].flatMap((rest) => schemes.map((scheme) => `${scheme}://${rest}`));
      for (const address of [...addresses, 'ftp://host/planted', 'planted']) {
        const load = () => loadConfig({ DATA_DIR, [name]: address });
        expect(load).toThrow(`${name} ${sentence}`);
        expect(load).not.toThrow('planted');
      }
    }
  });

  it('keeps its folder beside package.json, wherever it is started', () => {
    expect(loadConfig({ DATA_DIR }).data_dir).toBe(DATA_DIR);
    expect(Object.assign(new Config(), { DATA_DIR: '.data' }).data_dir).toBe(path.resolve('.data'));
  });

  it('is passed on whole by compose.yaml, which lets the server stop in peace', () => {
    const compose = readFileSync('compose.yaml', 'utf8');
    const passed = new Set([...compose.matchAll(/^ {6}([A-Z_0-9]+): /gm)].map(([, name]) => name!));
    // What the image and the other services decide.
    const decided = ['NODE_ENV', 'HOST', 'PORT', 'DATA_DIR'];
    expect([...SETTINGS].filter((name) => !passed.has(name)).toSorted()).toEqual(decided.toSorted());
    expect(Number(/stop_grace_period: (\d+)s/.exec(compose)![1])).toBeGreaterThan(STOPPING_SECONDS);
  });

  it('adds no demo where real people are, and takes no password that bcrypt would cut', () => {
    expect(() => loadConfig({ DATA_DIR, NODE_ENV: 'production', SEED_DEMO: 'true' })).toThrow('NODE_ENV=production');
    expect(() => loadConfig({ DATA_DIR, ADMIN_PASSWORD: 'é'.repeat(37) })).toThrow('ADMIN_PASSWORD');
    expect(loadConfig({ DATA_DIR, ADMIN_PASSWORD: 'é'.repeat(36) }).ADMIN_PASSWORD).toHaveLength(36);
  });
});
