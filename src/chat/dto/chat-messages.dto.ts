import { IntersectionType, PickType } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { RepeatableDto } from '../../common/http/idempotency.dto.js';
import { IsId } from '../../common/http/whole.js';
import { ChatPersonDto, EditMessageDto, IsContent, MessageDto } from './message.dto.js';

// What is sent and told over /chat.

export class JoinDto {
  /** @example 1 */
  @IsId()
  conversation_id: number;
}

export class SayDto extends IntersectionType(JoinDto, EditMessageDto, RepeatableDto) {}

export class MessageRefDto {
  /** @example 1 */
  @IsId()
  message_id: number;
}

export class EditDto extends MessageRefDto {
  /** 1 to 5,000 characters. @example "See you at seven?" */
  @IsContent()
  new_content: string;
}

export class TypingDto extends JoinDto {
  /** @example true */
  @IsBoolean()
  is_typing: boolean;
}

// Exported: only of what is exported does the documentation know the fields.
export class AboutMessage {
  /** @example 4 */
  @IsId()
  message_id: number;

  /** @example 1 */
  @IsId()
  conversation_id: number;
}

export class WrittenMessageDto extends MessageDto {
  /** The same as `id`: as the events and messages here call it. @example 1 */
  @IsId()
  message_id: number;
}

export class ChatMessageDto extends IntersectionType(
  AboutMessage,
  PickType(MessageDto, ['sender', 'content', 'attachment', 'timestamp']),
) {}

export class ReadReceiptDto extends AboutMessage {
  read_by: ChatPersonDto;
  read_at: Date;
}

export class MessageEditedDto extends AboutMessage {
  /** @example "See you at seven?" */
  new_content: string;
  edited_by: ChatPersonDto;
  edited_at: Date;
}

export class MessageDeletedDto extends AboutMessage {
  deleted_by: ChatPersonDto;
  deleted_at: Date;
}

export class TypingIndicatorDto {
  /** @example 1 */
  @IsId()
  conversation_id: number;
  user: ChatPersonDto;
  /** @example true */
  is_typing: boolean;
}
