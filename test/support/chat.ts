import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../src/config/config.js';
import type { SignedIn } from './factory.js';
import type { Answer, HttpClient } from './http-client.js';

type Signed = Pick<SignedIn, 'client'>;

/** Starts a conversation, or finds it. @returns its id */
export async function start({ client }: Signed, other: { id: number }): Promise<number> {
  const { status, body } = await client.post('/chat/conversations/start', { user2: other.id });
  if (status > 201) throw new Error(`start answered ${status}: ${JSON.stringify(body)}`);
  return body.id;
}

export const say = ({ client }: Signed, conversationId: number, content: string, key?: string): Promise<Answer> =>
  client.post(
    `/chat/conversations/${conversationId}/send_message`,
    { content },
    key ? { 'idempotency-key': key } : undefined,
  );

/** Sends a message that must be taken. */
export async function said(who: Signed, conversationId: number, content: string): Promise<any> {
  const { status, body } = await say(who, conversationId, content);
  if (status !== 201) throw new Error(`send_message answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

export const messagesOf = ({ client }: Signed, conversationId: number): Promise<any[]> =>
  client.all(`/chat/conversations/${conversationId}/messages?limit=200`);

export const conversationOf = async ({ client }: Signed, conversationId: number): Promise<any> =>
  (await client.get(`/chat/conversations/${conversationId}`)).body;

/** Sends a form, as a browser or a phone does. */
export async function upload(
  { client }: { client: HttpClient },
  conversationId: number,
  file: { bytes: Uint8Array; name: string; type?: string } | null,
  { content, key }: { content?: string; key?: string } = {},
): Promise<Answer> {
  const form = new FormData();
  if (content !== undefined) form.set('content', content);
  if (file) form.set('attachment', new Blob([file.bytes], { type: file.type ?? 'image/png' }), file.name);
  const response = await fetch(`${client.base}/chat/conversations/${conversationId}/send_message`, {
    method: 'POST',
    body: form,
    headers: { authorization: `Bearer ${client.token}`, ...(key && { 'idempotency-key': key }) },
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

/** The smallest picture there is. */
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** The same picture, with so many bytes behind its end. */
export const pngOf = (size: number): Buffer => Buffer.concat([PNG, Buffer.alloc(size - PNG.length)]);

/** The names of the files that are stored. */
export function storedFiles({ data_dir }: Config): string[] {
  try {
    return readdirSync(path.join(data_dir, 'attachments')).toSorted();
  } catch {
    return [];
  }
}
