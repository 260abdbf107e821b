import type { Actor } from '../common/actor/actor.js';
import { MessageDeleted, NotSender } from './chat.errors.js';

interface WrittenMessage {
  sender: { id: number };
  is_deleted: boolean;
}

/** Only the sender deletes a message; again is no harm. @throws NotSender */
export function requireMayDelete({ user_id }: Actor, { sender }: WrittenMessage): void {
  if (sender.id !== user_id) throw new NotSender();
}

/** @throws NotSender, MessageDeleted */
export function requireMayEdit(actor: Actor, message: WrittenMessage): void {
  requireMayDelete(actor, message);
  if (message.is_deleted) throw new MessageDeleted();
}

/** Pictures and the like, which a browser shows and does not run; SVG is a document with scripts. */
export const isAttachmentType = (contentType: string | undefined): contentType is string =>
  contentType !== undefined && (contentType === 'application/pdf' || /^(image|audio|video)\/(?!svg)/.test(contentType));

const LONGEST_NAME = 200;
/** What cannot be seen and changes how the rest is read: `photo{right to left}gpj.exe`. */
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** The name of a file as it may be shown: without folders, in any script, its ending kept if it is too long. */
export function fileName(given: string | undefined): string {
  const base = (given ?? '').normalize('NFC').split(/[/\\]/).at(-1)!.replace(UNSEEN, '').trim();
  const letters = [...base];
  if (/^\.*$/.test(base)) return 'attachment';
  if (letters.length <= LONGEST_NAME) return base;
  const ending = [...(/\.\w{1,10}$/.exec(base)?.[0] ?? '')];
  return [...letters.slice(0, LONGEST_NAME - ending.length), ...ending].join('');
}
