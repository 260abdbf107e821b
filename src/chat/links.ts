import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import type { MessageRow } from './chat.sql.js';
import type { LinkQuery, MessageDto } from './dto/message.dto.js';

const GOOD_FOR_S = 3600;

/** Signed links to attachments: who holds one needs no sign-in, for an hour. They are in no log. */
@Injectable()
export class Links {
  private readonly key: Buffer;

  constructor({ JWT_SECRET }: Config) {
    this.key = Buffer.from(hkdfSync('sha256', JWT_SECRET, '', 'links to attachments', 32));
  }

  /** The message with the link to its attachment. */
  shown(message: MessageRow): MessageDto {
    const { attachment } = message;
    return { ...message, attachment: attachment && { ...attachment, url: this.urlOf(attachment.id) } };
  }

  isGood(attachmentId: number, { expires = 0, signature = '' }: LinkQuery): boolean {
    const given = Buffer.from(signature, 'base64url');
    const right = this.sign(attachmentId, expires);
    const isRight = given.length === right.length && timingSafeEqual(given, right);
    return isRight && expires * 1000 >= Date.now();
  }

  private urlOf(attachmentId: number): string {
    const expires = Math.floor(Date.now() / 1000) + GOOD_FOR_S;
    const signature = this.sign(attachmentId, expires).toString('base64url');
    return `/api/v1/chat/attachments/${attachmentId}?expires=${expires}&signature=${signature}`;
  }

  private sign(attachmentId: number, expires: number): Buffer {
    return createHmac('sha256', this.key).update(`${attachmentId} ${expires}`).digest();
  }
}
