import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Actor } from '../common/actor/actor.js';
import { type IdempotencyKey, meaningOf } from '../common/http/idempotency.js';
import { readForm } from '../common/http/multipart.js';
import { validated } from '../common/http/validation.js';
import { AttachmentsService, LARGEST_FILE, type StoredFile } from './attachments.service.js';
import { type MessageDto, SendMessageDto } from './dto/message.dto.js';
import { MessagesService } from './messages.service.js';

/** Messages that come as forms, with a file. */
@Injectable()
export class Uploads {
  constructor(
    private readonly messages: MessagesService,
    private readonly attachments: AttachmentsService,
  ) {}

  /** @throws ConversationNotFound, PersonNotActive, Malformed, TooLarge, AttachmentType, FieldsInvalid */
  async send(
    actor: Actor,
    conversationId: number,
    request: FastifyRequest,
    key: IdempotencyKey | null,
  ): Promise<MessageDto> {
    // Before a file is taken from anyone.
    await this.messages.requireWritable(actor, conversationId);
    const stored: StoredFile[] = [];
    try {
      const { fields, file } = await readForm(
        request,
        { name: 'attachment', largest: LARGEST_FILE },
        async (coming) => {
          const one = await this.attachments.receive(actor, coming);
          stored.push(one);
          return one;
        },
      );
      const isEmpty = file !== null && !fields.content?.trim();
      const { content = null } = validated(SendMessageDto, isEmpty ? {} : { content: fields.content });
      return await this.messages.send(actor, conversationId, content, file, key && withForm(key, content, file));
    } finally {
      // It was refused, or is a repetition whose first file is there.
      await this.attachments.discard(stored.map(({ id }) => id));
    }
  }
}

/** What is meant by a form. */
const withForm = (key: IdempotencyKey, content: string | null, file: StoredFile | null): IdempotencyKey => ({
  ...key,
  meaning: meaningOf({ route: key.meaning, content, name: file?.name, hash: file?.hash }),
});
