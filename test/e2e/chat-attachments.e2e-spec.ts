import { createHmac, hkdfSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AttachmentsService } from '../../src/chat/attachments.service.js';
import { MessagesService } from '../../src/chat/messages.service.js';
import { Storage } from '../../src/chat/storage/storage.js';
import { everyGym } from '../../src/database/sql.js';
import { startApp, type TestApp } from '../support/app.js';
import { messagesOf, PNG, pngOf, said, start, storedFiles, upload } from '../support/chat.js';
import { ownDatabase } from '../support/database.js';
import { type SignedIn, unique } from '../support/factory.js';
import { S3Server } from '../support/s3-server.js';
import { until } from '../support/until.js';

const LARGEST = 10 * 1024 * 1024;
const PDF = Buffer.from('%PDF-1.4\n1 0 obj\n<< >>\nendobj\ntrailer << >>\n%%EOF\n');
const MP3 = Buffer.concat([
  Buffer.from('494433030000000000', 'hex'),
  Buffer.from('00fffb90640000', 'hex'),
  Buffer.alloc(500),
]);
const MP4 = Buffer.concat([Buffer.from('00000018667479706d703432000000006d70343269736f6d', 'hex'), Buffer.alloc(64)]);
const JPEG = Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), Buffer.alloc(20)]);
const HTML = Buffer.from('<!doctype html><script>alert(1)</script>');
const SVG = Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');

const ways = ['a folder', 'a bucket'] as const;

describe.each(ways)('attachments in %s', (way) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'spotter-files-'));
  let s3: S3Server | undefined;
  let t: TestApp;
  let gym: { id: number };
  let one: SignedIn;
  let two: SignedIn;
  let id: number;

  beforeAll(async () => {
    if (way === 'a bucket') s3 = await S3Server.started();
    t = await startApp({
      ...{ DATABASE_URL: await ownDatabase(`chat_files_${ways.indexOf(way)}`), DATA_DIR: folder },
      ...(s3 && s3.settings),
    });
    gym = await t.make.gym();
    [one, two] = [await t.make.signedIn('user', gym.id), await t.make.signedIn('trainer', gym.id)];
    id = await start(one, two);
  });
  afterAll(async () => {
    await t.close();
    await s3?.close();
    rmSync(folder, { recursive: true });
  });

  /** The names of what is stored. */
  const files = (): string[] => s3?.keys() ?? storedFiles(t.config);
  const rows = async () => (await t.db.query(everyGym`SELECT FROM attachments`)).length;
  const get = (url: string, headers: Record<string, string> = {}) => fetch(t.url + url, { headers });
  const asPerson = ({ access_token: token }: SignedIn) => ({ authorization: `Bearer ${token}` });
  const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());
  const pathOf = (attachmentId: number) => `/api/v1/chat/attachments/${attachmentId}`;
  const sent = async (bytes: Uint8Array, name: string, content?: string) => {
    const answer = await upload(one, id, { bytes, name }, { content });
    expect(answer).toHaveStatus(201);
    return answer.body;
  };
  /** That nothing more is stored than before, and nothing waits. */
  const leavesNothing = async (work: () => Promise<unknown>) => {
    const before = [files(), await rows()];
    await work();
    expect([files(), await rows()]).toEqual(before);
  };

  it('are what their bytes say, no matter how they are called', async () => {
    for (const [bytes, type] of [
      ...([
        [PNG, 'image/png'],
        [JPEG, 'image/jpeg'],
        [PDF, 'application/pdf'],
      ] as const),
      ...([
        [MP3, 'audio/mpeg'],
        [MP4, 'video/mp4'],
      ] as const),
    ]) {
      const message = await sent(bytes, 'holiday.exe');
      expect(message).toMatchObject({ content: null });
      expect(message.attachment).toEqual({
        ...{ id: expect.any(Number), name: 'holiday.exe', content_type: type, size: bytes.length },
        url: expect.stringContaining(pathOf(message.attachment.id)),
      });
      for (const response of [
        await get(message.attachment.url),
        await get(pathOf(message.attachment.id), asPerson(two)),
      ]) {
        expect(response.status).toBe(200);
        expect(await bytesOf(response)).toEqual(Buffer.from(bytes));
        expect(Object.fromEntries(response.headers)).toMatchObject({
          ...{ 'content-type': type, 'content-length': String(bytes.length), 'x-content-type-options': 'nosniff' },
          'content-disposition': 'attachment; filename=holiday.exe',
          'content-security-policy': "default-src 'none'; sandbox",
          'cross-origin-resource-policy': 'cross-origin',
        });
      }
    }
    const [last] = (await two.client.get('/chat/conversations')).body;
    expect(last.last_message.attachment.content_type).toBe('video/mp4');
  });

  it('are no HTML, no SVG, no program and no text, no matter how they are called', () =>
    leavesNothing(async () => {
      const refused = [
        HTML,
        SVG,
        Buffer.from('MZ\u0090\u0000'),
        Buffer.from('Hello'),
        Buffer.alloc(0),
        Buffer.alloc(100),
      ];
      for (const bytes of refused) {
        for (const type of ['image/png', 'application/pdf']) {
          const answer = await upload(one, id, { bytes, name: 'picture.png', type });
          expect(answer).toBeRefused(415, 'attachment_type');
        }
      }
    }));

  it('have 10 MB, and not a byte more', async () => {
    const whole = await sent(pngOf(LARGEST), 'large.png');
    expect(whole.attachment.size).toBe(LARGEST);
    expect((await bytesOf(await get(whole.attachment.url))).equals(pngOf(LARGEST))).toBe(true);
    await leavesNothing(async () => {
      expect(await upload(one, id, { bytes: pngOf(LARGEST + 1), name: 'x.png' })).toBeRefused(413, 'too_large');
      expect(await upload(one, id, { bytes: pngOf(LARGEST * 3), name: 'x.png' })).toBeRefused(413, 'too_large');
      expect(await upload(one, id, null, { content: 'x'.repeat(100_000) })).toBeRefused(413, 'too_large');
    });
  });

  it('come with words, or without; without either there is no message', async () => {
    expect((await sent(PNG, 'a.png', ' Look! ')).content).toBe('Look!');
    expect((await sent(PNG, 'a.png', '  ')).content).toBeNull();
    expect((await upload(one, id, null, { content: 'Only words' })).body).toMatchObject({
      content: 'Only words',
      attachment: null,
    });
    await leavesNothing(async () => {
      for (const content of [undefined, '', '  ']) {
        expect(await upload(one, id, null, { content })).toHaveWrongFields('content');
      }
      const long = { content: 'x'.repeat(5001) };
      expect(await upload(one, id, { bytes: PNG, name: 'a.png' }, long)).toHaveWrongFields('content');
      expect(await upload(one, id, { bytes: PNG, name: 'a.png' }, { content: 'a\0b' })).toBeRefused(400, 'malformed');
    });
  });

  it('keep their names in any script, without paths and what cannot be seen', async () => {
    const name = async (given: string) => (await sent(PNG, given)).attachment;
    expect((await name('خطة التدريب.png')).name).toBe('خطة التدريب.png');
    expect((await name('../../etc/passwd')).name).toBe('passwd');
    expect((await name('C:\\Users\\x\\me.png')).name).toBe('me.png');
    expect((await name('..')).name).toBe('attachment');
    expect((await name('photo\u202egnp.exe')).name).toBe('photognp.exe');
    const long = await name(`${'长'.repeat(1000)}.png`);
    expect(long.name).toBe(`${'长'.repeat(196)}.png`);
    const quoted = await name('a"b;c=d\u00e9.png');
    for (const { url, name: stored } of [long, quoted, await name('مرحبا.png')]) {
      const header = (await get(url)).headers.get('content-disposition')!;
      expect(decodeURIComponent(/filename\*=UTF-8''([^;]+)/.exec(header)?.[1] ?? '')).toBe(stored);
    }
    expect(files().filter((file) => !/^[\w-]{36}$/.test(file))).toEqual([]);
  });

  it('are read by the two, and by who holds a link', async () => {
    const { attachment } = await sent(PNG, 'a.png');
    const code = async (url: string, headers?: Record<string, string>) => {
      const response = await get(url, headers);
      return `${response.status} ${((await response.json()) as { code: string }).code}`;
    };
    const file = pathOf(attachment.id);
    expect(await code(file)).toBe('401 not_signed_in');
    expect(await code(file, { authorization: 'Bearer x' })).toBe('401 not_signed_in');
    for (const role of ['admin', 'manager', 'trainer', 'user'] as const) {
      expect(await code(file, asPerson(await t.make.signedIn(role, gym.id)))).toBe('404 attachment_not_found');
    }
    const newcomer = await t.make.signedIn('user', gym.id);
    await t.db.change(everyGym`UPDATE users SET must_change_password = true WHERE id = ${newcomer.id}`);
    expect(await code(file, asPerson(await t.make.signIn(newcomer)))).toBe('403 password_change_required');
    expect(await code(pathOf(2_000_000_000), asPerson(one))).toBe('404 attachment_not_found');

    const { attachment: other } = await sent(JPEG, 'b.jpg');
    const [link, otherLink] = [new URL(attachment.url, t.url), new URL(other.url, t.url)];
    const signature = link.searchParams.get('signature')!;
    const expires = Number(link.searchParams.get('expires'));
    expect(Math.abs(expires - Date.now() / 1000 - 3600)).toBeLessThan(10);
    const forged = [
      `${file}?expires=${expires + 1}&signature=${signature}`,
      `${file}?expires=${expires}&signature=${signature.slice(0, -2)}AA`,
      `${file}?expires=${expires}&signature=x`,
      `${file}?signature=${signature}`,
      `${file}${otherLink.search}`,
      `${pathOf(other.id)}${link.search}`,
    ];
    for (const url of forged) expect(await code(url)).toBe('403 link_not_valid');
    // Beside a token it is as good as no link.
    expect((await get(forged[0]!, asPerson(one))).status).toBe(200);
    const stranger = await t.make.signedIn('manager', gym.id);
    expect(await code(forged[0]!, asPerson(stranger))).toBe('404 attachment_not_found');
    expect(await code(forged[0]!, { authorization: 'Bearer x' })).toBe('401 not_signed_in');

    // The same signature as ours, so that it is the time that refuses it.
    const key = Buffer.from(hkdfSync('sha256', t.config.JWT_SECRET, '', 'links to attachments', 32));
    const signed = (at: number) =>
      `${file}?expires=${at}&signature=${createHmac('sha256', key).update(`${attachment.id} ${at}`).digest('base64url')}`;
    expect((await get(signed(expires))).status).toBe(200);
    expect(await code(signed(Math.floor(Date.now() / 1000) - 1))).toBe('403 link_not_valid');
  });

  it('are sent in parts to who asks for a part', async () => {
    const { attachment } = await sent(MP3, 'song.mp3');
    const part = await get(attachment.url, { range: 'bytes=10-19' });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 10-19/${MP3.length}`);
    expect(part.headers.get('content-length')).toBe('10');
    expect(await bytesOf(part)).toEqual(MP3.subarray(10, 20));
    expect(await bytesOf(await get(attachment.url, { range: 'bytes=-5' }))).toEqual(MP3.subarray(-5));
    expect((await get(attachment.url, { range: 'bytes=9999999-' })).status).toBe(200);
    for (const condition of ['"nonsense"', new Date().toUTCString()]) {
      const whole = await get(attachment.url, { range: 'bytes=10-19', 'if-range': condition });
      expect([whole.status, whole.headers.get('content-range')]).toEqual([200, null]);
      expect(await bytesOf(whole)).toEqual(MP3);
    }
  });

  it('are sent once with one key, and stored once', async () => {
    const key = unique('key');
    const send = (bytes = PNG, name = 'a.png') => upload(one, id, { bytes, name }, { content: 'Once', key });
    const first = await send();
    await leavesNothing(async () => {
      const again = await send();
      expect([again.status, again.body.id, again.body.attachment.id]).toEqual([
        201,
        first.body.id,
        first.body.attachment.id,
      ]);
      for (const other of [send(JPEG), send(PNG, 'b.png')]) {
        expect(await other).toBeRefused(422, 'idempotency_key_reused');
      }
    });
    expect((await get(first.body.attachment.url)).status).toBe(200);
  });

  it('are taken from no one who may not write there', () =>
    leavesNothing(async () => {
      const stranger = await t.make.signedIn('manager', gym.id);
      const file = { bytes: PNG, name: 'a.png' };
      expect(await upload(stranger, id, file)).toBeRefused(404, 'conversation_not_found');
      const [member, gone] = [await t.make.signedIn('trainer', gym.id), await t.make.signedIn('user', gym.id)];
      const talk = await start(member, gone);
      await t.db.change(everyGym`UPDATE users SET is_active = false WHERE id = ${gone.id}`);
      expect(await upload(member, talk, file)).toBeRefused(409, 'person_not_active');
      expect(await upload({ client: t.anonymous }, id, file)).toBeRefused(401, 'not_signed_in');
    }));

  it('are taken at no other route, and no form that is broken or has two files', () =>
    leavesNothing(async () => {
      const headers = { ...asPerson(one), 'content-type': 'multipart/form-data; boundary=x' };
      const post = async (route: string, body: string) => {
        const response = await fetch(`${t.url}/api/v1${route}`, { method: 'POST', headers, body });
        return { status: response.status, body: await response.json() };
      };
      const route = `/chat/conversations/${id}/send_message`;
      const file = '--x\r\nContent-Disposition: form-data; name="attachment"; filename="a.png"\r\n\r\n';
      expect(await post('/chat/conversations/start', `${file}x\r\n--x--\r\n`)).toBeRefused(
        415,
        'media_type_not_supported',
      );
      expect(await post('/auth/login', '--x--\r\n')).toBeRefused(415, 'media_type_not_supported');
      expect(await post(route, `${file}${PNG.toString('latin1')}`)).toBeRefused(400, 'malformed');
      expect(await post(route, 'nonsense')).toBeRefused(400, 'malformed');
      expect(await post(route, `${file}${'x'.repeat(10)}\r\n${file}x\r\n--x--\r\n`)).toHaveStatus(415);
      const pdf = `${file}%PDF-1.4\r\n`;
      expect(await post(route, `${pdf}${pdf}--x--\r\n`)).toHaveWrongFields('attachment');
      const many = 'Content-Disposition: form-data; name="x"\r\n\r\n\r\n--x\r\n'.repeat(100);
      expect(await post(route, `--x\r\n${many}`)).toHaveStatus(413);
      const proto = '--x\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\n1\r\n--x--\r\n';
      expect((await post(route, proto)).status).toBeLessThan(500);
    }));

  it('leave nothing when the line breaks in the middle', () =>
    leavesNothing(async () => {
      const { port } = new URL(t.url);
      const waiting = async () => (await t.db.query(everyGym`SELECT FROM attachments WHERE message_id IS NULL`)).length;
      for (const end of ['destroy', 'end'] as const) {
        const socket = net.connect(Number(port), '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(
          `POST /api/v1/chat/conversations/${id}/send_message HTTP/1.1\r\nHost: x\r\n` +
            `Authorization: Bearer ${one.access_token}\r\nContent-Type: multipart/form-data; boundary=x\r\n` +
            'Content-Length: 5000000\r\n\r\n' +
            '--x\r\nContent-Disposition: form-data; name="attachment"; filename="a.png"\r\n\r\n',
        );
        socket.write(pngOf(1_000_000));
        await until(async () => (await waiting()) > 0);
        socket[end]();
        expect(await until(async () => (await waiting()) === 0)).toBe(true);
      }
    }));

  it('are gone with their message for readers, with a week for the bytes', async () => {
    const message = await sent(PNG, 'a.png');
    const { id: attachmentId, url } = message.attachment;
    const before = files().length;
    await one.client.delete(`/chat/messages/${message.id}`);
    for (const response of [await get(url), await get(pathOf(attachmentId), asPerson(one))]) {
      expect(response.status).toBe(404);
    }
    expect((await messagesOf(two, id)).find((m) => m.id === message.id).attachment).toBeNull();
    await t.app.get(MessagesService).purge();
    expect(files()).toHaveLength(before);
    await t.db.change(everyGym`
      UPDATE messages SET deleted_at = now() - interval '8 days' WHERE id = ${message.id}`);
    // That the file is older than an upload may last follows from the week.
    await t.db.change(
      everyGym`UPDATE attachments SET created_at = now() - interval '8 days' WHERE id = ${attachmentId}`,
    );
    await t.app.get(MessagesService).purge();
    expect(files()).toHaveLength(before - 1);
    expect(await t.db.query(everyGym`SELECT FROM attachments WHERE id = ${attachmentId}`)).toEqual([]);
  });

  it('that a server which died left behind are purged, and those of an upload are not', async () => {
    const { attachment } = await sent(PNG, 'a.png');
    const before = files().length;
    await t.db.change(everyGym`UPDATE attachments SET message_id = NULL WHERE id = ${attachment.id}`);
    await t.app.get(MessagesService).purge();
    expect(files()).toHaveLength(before);
    await t.db.change(
      everyGym`UPDATE attachments SET created_at = now() - interval '61 minutes' WHERE id = ${attachment.id}`,
    );
    await t.app.get(MessagesService).purge();
    expect(files()).toHaveLength(before - 1);
  });

  it('stay where a message is just being stored with them, though its sender has given up', async () => {
    const { id: messageId, attachment } = await sent(PNG, 'a.png');
    await t.db.change(everyGym`UPDATE attachments SET message_id = NULL WHERE id = ${attachment.id}`);
    let discarded: Promise<void> | undefined;
    await t.db.transaction(async (tx) => {
      await tx.query(everyGym`UPDATE attachments SET message_id = ${messageId} WHERE id = ${attachment.id}`);
      discarded = t.app.get(AttachmentsService).discard([attachment.id]);
      await sleep(300);
    });
    await discarded;
    expect((await get(attachment.url)).status).toBe(200);
  });

  it('go with the conversation that both leave, and with the person who is deleted', async () => {
    const before = files().length;
    const [three, four] = [await t.make.signedIn('user', gym.id), await t.make.signedIn('trainer', gym.id)];
    const talk = await start(three, four);
    const answer = await upload(three, talk, { bytes: PNG, name: 'a.png' });
    const admin = await t.make.signedIn('admin', null);
    for (const person of [three, four]) await person.client.delete(`/chat/conversations/${talk}`);
    expect(files()).toHaveLength(before);
    expect((await get(answer.body.attachment.url)).status).toBe(404);

    const again = await start(three, four);
    const theirs = await upload(three, again, { bytes: PNG, name: 'mine.png' });
    await said(four, again, 'Thank you');
    await admin.client.delete(`/users/${three.id}`);
    expect((await get(theirs.body.attachment.url)).status).toBe(404);
    expect(await t.db.query(everyGym`SELECT FROM attachments WHERE name = 'mine.png'`)).toEqual([]);
    await t.db.change(
      everyGym`UPDATE attachments SET created_at = now() - interval '2 hours' WHERE message_id IS NULL`,
    );
    await t.app.get(MessagesService).purge();
    expect(files()).toHaveLength(before);
  });

  if (way === 'a bucket') {
    it('are taken, too, when the folder for those that come was tidied away', async () => {
      await rm(path.dirname(await t.app.get(Storage).draftOf('any')), { recursive: true });
      const { attachment } = await sent(PNG, 'a.png');
      expect((await get(attachment.url)).status).toBe(200);
    });

    it('are refused while the bucket does not answer, and leave nothing', async () => {
      const { attachment } = await sent(PNG, 'a.png');
      await leavesNothing(async () => {
        s3!.isDown = true;
        expect(await upload(one, id, { bytes: PNG, name: 'a.png' })).toBeRefused(503, 'unavailable');
        expect((await get(attachment.url)).status).toBe(503);
        s3!.isDown = false;
        await t.db.change(
          everyGym`UPDATE attachments SET created_at = now() - interval '2 hours' WHERE message_id IS NULL`,
        );
        await t.app.get(MessagesService).purge();
      });
      expect((await get(attachment.url)).status).toBe(200);
    });
  }
});
