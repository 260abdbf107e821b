import { describe, expect, it } from '@jest/globals';
import { Actor } from '../common/actor/actor.js';
import { MessageDeleted, NotSender } from './chat.errors.js';
import { fileName, isAttachmentType, requireMayDelete, requireMayEdit } from './chat.rules.js';

describe('the rules of chat', () => {
  const sender = new Actor(5, 'user', 1, 1);
  const other = new Actor(6, 'admin', null, 1);
  const message = { sender: { id: 5 }, is_deleted: false };
  const deleted = { ...message, is_deleted: true };

  it('only the sender changes and deletes a message; what is deleted is not changed', () => {
    for (const rule of [requireMayEdit, requireMayDelete]) {
      expect(() => rule(sender, message)).not.toThrow();
      expect(() => rule(other, message)).toThrow(NotSender);
      expect(() => rule(other, deleted)).toThrow(NotSender);
    }
    expect(() => requireMayEdit(sender, deleted)).toThrow(MessageDeleted);
    expect(() => requireMayDelete(sender, deleted)).not.toThrow();
  });

  it('an attachment is a picture, a PDF, audio or video', () => {
    for (const type of ['image/png', 'image/heic', 'application/pdf', 'audio/mpeg', 'video/mp4']) {
      expect(isAttachmentType(type)).toBe(true);
    }
    for (const type of ['image/svg+xml', 'text/html', 'application/zip', 'application/pdfx', 'ximage/png', undefined]) {
      expect(isAttachmentType(type)).toBe(false);
    }
  });

  it.each([
    ['plan.pdf', 'plan.pdf'],
    ['../../../etc/passwd', 'passwd'],
    ['C:\\Temp\\x.png', 'x.png'],
    ['e\u0301.png', 'é.png'],
    ['a\r\nb\u0000.png', 'ab.png'],
    ['photo\u202egnp.exe', 'photognp.exe'],
    ['مرحبا بالعالم.png', 'مرحبا بالعالم.png'],
    ['💪'.repeat(300), '💪'.repeat(200)],
    [`${'a'.repeat(300)}.jpeg`, `${'a'.repeat(195)}.jpeg`],
    ['', 'attachment'],
    ['..', 'attachment'],
    ['folder/', 'attachment'],
    [undefined, 'attachment'],
  ])('a file called %j is shown as %j', (given, shown) => {
    expect(fileName(given)).toBe(shown);
  });
});
