import { applyDecorators } from '@nestjs/common';
import { ApiProperty, IntersectionType, PartialType, PickType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { Allow, IsOptional, IsString, MaxLength } from 'class-validator';
import { UpdateAccountDto } from '../../accounts/dto/accounts.dto.js';
import { CreateAccountDto } from '../../auth/dto/auth.dto.js';
import { IsText } from '../../common/http/fields.js';
import { fromDigits, IsId, IsWhole, MAX_ID } from '../../common/http/whole.js';
import { CourseDto, CreateCourseDto } from '../../courses/dto/courses.dto.js';
import { PROFILE_TYPES, type ProfileType } from '../../people/dto/profile.dto.js';
import { TextOrNothing } from '../sign-in/sign-in.dto.js';

// What clients of gymgem send and get. In what is for all later versions of it, a person is known by their person id.

export class GymgemNames {
  /** @example "María" */
  @IsText(0, 200)
  firstName: string;

  /** @example "López" */
  @IsText(0, 200)
  lastName: string;
}

export class GymgemNewAccountDto extends IntersectionType(
  PickType(CreateAccountDto, ['username', 'email', 'password']),
  PartialType(GymgemNames),
) {
  /** The same as `password`. @example "a long password" */
  @IsString()
  @MaxLength(200)
  confirmPassword: string;
}

/** What is not sent stays as it is. */
export class GymgemAccountChangesDto extends IntersectionType(
  PickType(UpdateAccountDto, ['username', 'email']),
  PartialType(GymgemNames),
) {
  /** Refused, and not thrown away in silence: it is changed with POST /api/v1/auth/change-password. */
  @TextOrNothing()
  password?: string;

  /** Refused, too. */
  @TextOrNothing()
  confirmPassword?: string;
}

export class GymgemIdDto {
  /** @example 8 */
  @IsId()
  id: number;
}

export class GymgemAccountDto extends IntersectionType(GymgemIdDto, GymgemNames) {
  /** @example "maria.lopez" */
  username: string | null;

  /** For its owner and the staff of that gym; null for all others. @example "maria.lopez@example.com" */
  email: string | null;

  createdAt: Date | null;

  updatedAt: Date | null;
}

export class GymgemHeldProfileDto {
  @ApiProperty({ enum: PROFILE_TYPES })
  profile_type: ProfileType;
}

export class GymgemOneAccountDto extends GymgemAccountDto {
  @ApiProperty({ type: [GymgemHeldProfileDto] })
  profiles: GymgemHeldProfileDto[];
}

export class GymgemDoneDto {
  /** @example "Account updated successfully" */
  message: string;
}

/** One of them, or the header `refresh`; some versions send several. */
export class GymgemRefreshDto {
  @TextOrNothing()
  refresh?: string;

  @TextOrNothing()
  refresh_token?: string;
}

export class GymgemAccessDto {
  access: string;
}

export class GymgemTokensDto extends GymgemAccessDto {
  /** The same session; good until two days after sign-in. */
  refresh: string;
}

export class GymgemProfileDto extends GymgemIdDto {
  @ApiProperty({ enum: PROFILE_TYPES })
  profile_type: ProfileType;
}

export class GymgemProfileRefDto {
  /** One's own. @example 3 */
  @IsId()
  profile_id: number;
}

/** What is no number is as good as not sent. */
const NumberOrNothing = () =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => {
      const number = fromDigits(value);
      return typeof number === 'number' ? number : undefined;
    }),
    Allow(),
    ApiProperty({ type: 'integer', required: false }),
  );

export class GymgemPageQuery {
  /** From 1. */
  @NumberOrNothing()
  page?: number;

  /** 50, at most 500. */
  @NumberOrNothing()
  page_size?: number;
}

export class GymgemConversationsQuery {
  /** Words of the other's username. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  search?: string;
}

export class GymgemWebConversationsQuery extends IntersectionType(GymgemConversationsQuery, GymgemPageQuery) {}

export class GymgemStartDto {
  /** The account of the other. @example 5 */
  @IsId()
  user2: number;
}

const IsPersonId = () => IsWhole(-MAX_ID, MAX_ID, 'must be the id of a person, a whole number');

/** One of them. */
export class GymgemWebStartDto {
  /** The person id of the other. @example 5 */
  @IsOptional()
  @IsPersonId()
  user2?: number;

  /** @example 5 */
  @IsOptional()
  @IsPersonId()
  target_user_id?: number;
}

export class GymgemTitleDto {
  /** One's own name for it. @example "Knee" */
  @IsOptional()
  @IsText(1, 100)
  title?: string;
}

export class GymgemStartedDto extends GymgemIdDto {
  /** @example [1, 5] */
  @ApiProperty({ type: 'integer', isArray: true })
  participants: number[];

  created_at: Date;
}

export class GymgemParticipantDto {
  /** Of the account; for later versions the person id. @example 5 */
  @ApiProperty({ type: 'integer' })
  id: number;

  /** The email of one who has none. @example "tiago.moreira" */
  username: string;
}

export class GymgemConversationDto extends GymgemIdDto {
  @ApiProperty({ type: [GymgemParticipantDto] })
  participants: GymgemParticipantDto[];

  created_at: Date;
}

export class GymgemMessageBody extends GymgemIdDto {
  /** @example "See you at six?" */
  content: string;

  /** The path of a link that is good for an hour. */
  attachment: string | null;

  timestamp: Date;

  is_read: boolean;

  read_at: Date | null;

  is_deleted: boolean;

  edited_at: Date | null;
}

export class GymgemMessageDto extends GymgemMessageBody {
  /** A username; the email of one who has none. @example "tiago.moreira" */
  sender: string;
}

export class GymgemWebMessageDto extends GymgemMessageBody {
  /** A person id. @example 5 */
  @ApiProperty({ type: 'integer' })
  sender: number;

  /** @example "Tiago Moreira" */
  sender_name: string;
}

export class GymgemPage {
  /** On all pages. @example 120 */
  @ApiProperty({ type: 'integer' })
  count: number;

  /** A whole address. */
  next: string | null;

  previous: string | null;
}

export class GymgemMessagesDto extends GymgemPage {
  @ApiProperty({ type: [GymgemMessageDto] })
  results: GymgemMessageDto[];
}

export class GymgemOwnedMessagesDto {
  /** One's own person id. @example 3 */
  @ApiProperty({ type: 'integer' })
  owner: number;

  @ApiProperty({ type: [GymgemWebMessageDto] })
  data: GymgemWebMessageDto[];
}

export class GymgemWebMessagesDto extends GymgemPage {
  results: GymgemOwnedMessagesDto;
}

export class GymgemLastMessageDto extends PickType(GymgemMessageBody, ['content', 'attachment', 'timestamp']) {}

export class GymgemWebConversationDto extends GymgemConversationDto {
  /** A person id. @example 5 */
  @ApiProperty({ type: 'integer' })
  other_participant_id: number;

  /** @example "Tiago Moreira" */
  other_participant_name: string;

  @ApiProperty({ enum: PROFILE_TYPES, nullable: true })
  other_participant_role: ProfileType | null;

  /** There are none. */
  @ApiProperty({ type: 'string', nullable: true, example: null })
  other_participant_profile_picture: null;

  last_message: GymgemLastMessageDto | null;

  /** Of a conversation without messages: when it began. */
  last_message_timestamp: Date;

  /** @example 2 */
  @ApiProperty({ type: 'integer' })
  unread_count: number;
}

export class GymgemWebConversationsDto extends GymgemPage {
  @ApiProperty({ type: [GymgemWebConversationDto] })
  results: GymgemWebConversationDto[];
}

export class GymgemCourseBody extends PickType(CreateCourseDto, ['title', 'description', 'price']) {}

export class GymgemNewCourseDto extends GymgemCourseBody {
  /** The id of one's own trainer profile. @example 1 */
  @IsOptional()
  @IsId()
  trainer_profile?: number;
}

/** What is not sent stays as it is. */
export class GymgemCourseChangesDto extends PartialType(GymgemCourseBody) {}

export class GymgemCourseDto extends PickType(CourseDto, ['id', 'title', 'description', 'price']) {
  /** The id of a profile. @example 1 */
  @IsId()
  trainer_profile: number;
}

export class GymgemListedCourseDto extends PickType(CourseDto, ['id', 'title', 'price']) {
  /** @example "Tiago Moreira" */
  trainer: string;
}
