import { applyDecorators } from '@nestjs/common';
import { ApiProperty, PickType } from '@nestjs/swagger';
import { IsOptional, Matches, MaxLength, ValidateBy } from 'class-validator';
import { IsText } from '../../common/http/fields.js';
import { ListQuery } from '../../common/http/list.js';
import { IsId, IsWhole, MAX_ID } from '../../common/http/whole.js';

/** Of one message, as people count them: an emoji of two halves is one. */
export const LONGEST_MESSAGE = 5_000;

/** What is written. Length() alone leaves signs that only change how the one before them looks out of its count. */
export const IsContent = () =>
  applyDecorators(
    IsText(1, LONGEST_MESSAGE),
    ValidateBy({
      name: 'isContent',
      constraints: [LONGEST_MESSAGE],
      validator: {
        validate: (value) => typeof value === 'string' && [...value].length <= LONGEST_MESSAGE,
        defaultMessage: () => `must have at most ${LONGEST_MESSAGE} characters`,
      },
    }),
  );

/** Who takes part in a conversation. */
export class ChatPersonDto {
  /** @example 2 */
  @IsId()
  id: number;

  /** @example "tiago.moreira" */
  username: string | null;

  /** null: to members other members are known by their username. @example "Tiago Moreira" */
  @ApiProperty({ type: 'string', nullable: true })
  full_name: string | null;
}

/** A file of a message. */
export class AttachmentDto {
  /** @example 1 */
  @IsId()
  id: number;

  /** As the sender called it. @example "plan.pdf" */
  name: string;

  /** As its bytes say, whatever its name. @example "application/pdf" */
  content_type: string;

  /** In bytes. @example 48211 */
  @ApiProperty({ type: 'integer' })
  size: number;

  /**
   * Where it is: a link that is good for an hour, for all who hold it.
   * @example "/api/v1/chat/attachments/1?expires=1798761600&signature=pBf6o2mS0cXb1Kq3cP5x7V9dEwR2tYhJ4uLz8nAaQmI"
   */
  url: string;
}

export class MessageDto {
  /** Rises in a conversation. @example 1 */
  @IsId()
  id: number;

  /** @example 1 */
  @IsId()
  conversation_id: number;

  sender: ChatPersonDto;

  /** null: an attachment alone, or deleted. @example "See you at six?" */
  content: string | null;

  attachment: AttachmentDto | null;

  /** When it was sent. */
  timestamp: Date;

  /** By the other. @example false */
  is_read: boolean;

  read_at: Date | null;

  /** Deleted by its sender: nothing of it is shown, and after a week it is gone. @example false */
  is_deleted: boolean;

  edited_at: Date | null;
}

export class EditMessageDto {
  /** 1 to 5,000 characters. @example "See you at seven?" */
  @IsContent()
  content: string;
}

/** As JSON, or as multipart/form-data with a file. */
export class SendMessageDto {
  /** 1 to 5,000 characters; may be left out with an attachment. @example "See you at six?" */
  @IsOptional()
  @IsContent()
  content?: string;

  /** In multipart/form-data: a picture, a PDF, audio or video of at most 10 MB. */
  @ApiProperty({ type: 'string', format: 'binary', required: false })
  attachment?: string;
}

export class MessageListQuery extends PickType(ListQuery, ['limit']) {
  /** Only messages behind this one. */
  @IsOptional()
  @IsWhole(0, MAX_ID)
  after_id?: number;

  /** The last messages before this one; 2147483647 asks for the newest. */
  @IsOptional()
  @IsId()
  before_id?: number;
}

/** How far one has read. */
export class ReadDto {
  /** @example 1 */
  @IsId()
  conversation_id: number;

  /** Read up to this message. @example 4 */
  @IsId()
  message_id: number;

  /** Oneself. */
  read_by: ChatPersonDto;

  read_at: Date;

  /** What is left to read. @example 0 */
  @ApiProperty({ type: 'integer' })
  unread_count: number;
}

/** What the link to an attachment carries. */
export class LinkQuery {
  /** The second after which the link is not good any more. */
  @IsOptional()
  @IsWhole(0, Number.MAX_SAFE_INTEGER)
  expires?: number;

  @IsOptional()
  @MaxLength(100)
  @Matches(/^[\w-]+$/, { message: 'must have letters, digits, dashes and underscores only' })
  signature?: string;
}
