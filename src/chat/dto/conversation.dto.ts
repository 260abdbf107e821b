import { ApiProperty, PartialType, PickType } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength } from 'class-validator';
import { IsText } from '../../common/http/fields.js';
import { ListQuery } from '../../common/http/list.js';
import { IsNullable } from '../../common/http/nulls.js';
import { IsId } from '../../common/http/whole.js';
import { ChatPersonDto, MessageDto } from './message.dto.js';

/** A conversation of two, as one of them sees it. */
export class ConversationDto {
  /** @example 1 */
  @IsId()
  id: number;

  /** What you call it; the other does not see it. @example "Training plan" */
  @IsNullable()
  @IsText(1, 100)
  title: string | null;

  /** Both, you too. */
  @ApiProperty({ type: [ChatPersonDto] })
  participants: ChatPersonDto[];

  last_message: MessageDto | null;

  /** Messages of the other that you have not read. @example 2 */
  @ApiProperty({ type: 'integer' })
  unread_count: number;

  created_at: Date;

  /** Of the last message. */
  last_message_at: Date | null;
}

export class StartConversationDto {
  /** The other person. @example 8 */
  @IsId()
  user2: number;
}

export class UpdateConversationDto extends PartialType(PickType(ConversationDto, ['title'])) {}

export class ConversationListQuery extends ListQuery {
  /** Words of the other's name or username. @example "tiago" */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  search?: string;
}
