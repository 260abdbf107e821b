import { ApiProperty, PartialType, PickType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { CheckInDto } from '../../attendance/dto/visit.dto.js';
import { IsLocalDate, IsText } from '../../common/http/fields.js';
import { LegacyAccessDto } from '../sign-in/sign-in.dto.js';

// What clients of av-checkins send and read. All ids are strings; where nothing is known, a string is empty.

/** An empty parameter is as good as none: pages send all of theirs. */
const EmptyIsNone = () => Transform(({ value }: { value: unknown }) => (value === '' ? undefined : value));

/** A number in a query; what is none is the default. */
const LenientNumber = () =>
  Transform(({ value }: { value: unknown }) => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    return typeof number === 'number' && Number.isFinite(number) ? Math.trunc(number) : undefined;
  });

export class AvSignInDto {
  /** A username, an email or a phone number. @example "manager@demo.gym" */
  @IsOptional()
  @IsString()
  username?: string;

  /** @example "demo1234" */
  @IsOptional()
  @IsString()
  password?: string;
}

export class AvTokensDto extends LegacyAccessDto {
  /** Good again and again for two days, as long as the session lives. */
  refresh: string;
}

export class AvMeDto {
  /** @example "4" */
  id: string;
  /** The email, if there is no username. @example "maria.lopez" */
  username: string;
  /** @example "maria.lopez@example.com" */
  email: string;
  /** @example "María" */
  first_name: string;
  /** @example "López" */
  last_name: string;
  /** FRONT_DESK is reception, STAFF an accountant. @example "FRONT_DESK" */
  @ApiProperty({ enum: ['ADMIN', 'MANAGER', 'TRAINER', 'FRONT_DESK', 'STAFF'] })
  role: string;
  /** @example true */
  is_active: boolean;
  date_joined: string;
}

export class AvMemberDto {
  /** @example "42" */
  id: string;
  /** @example "María López" */
  full_name: string;
  /** @example "+1 234 567 891" */
  phone: string;
  /** We keep none. @example "" */
  address: string;
  /** `GYM` and the id in at least five figures. @example "GYM00042" */
  membership_number: string;
  /** @example "active" */
  @ApiProperty({ enum: ['active', 'inactive'] })
  status: 'active' | 'inactive';
  /** @example "maria@example.com" */
  email: string;
  /** We keep none. @example "" */
  notes: string;
  /** We keep none. @example null */
  @ApiProperty({ type: 'string', nullable: true })
  image_url: null;
  created_at: string;
  updated_at: string;
}

export class AvVisitorDto extends PickType(AvMemberDto, ['id', 'full_name', 'email']) {
  /** The name of the active plan. @example "Monthly" */
  membership_type: string;
}

/** A visit, as scripts read it. */
export class AvCheckInDto {
  /** @example "12" */
  id: string;
  member: AvVisitorDto;
  check_in_time: string;
  /** null while they are inside. */
  @ApiProperty({ type: 'string', nullable: true })
  check_out_time: string | null;
  /** @example "Main entrance" */
  location: string;
  /** @example "" */
  notes: string;
  /** @example "checked_in" */
  @ApiProperty({ enum: ['checked_in', 'checked_out'] })
  status: 'checked_in' | 'checked_out';
}

export class AvPageVisitorDto extends PickType(AvMemberDto, ['id']) {
  /** @example "María López" */
  fullName: string;
}

/** A visit, as the page reads it. */
export class AvPageCheckInDto {
  /** @example "12" */
  id: string;
  member: AvPageVisitorDto;
  checkInTime: string;
  /** null while they are inside. */
  @ApiProperty({ type: 'string', nullable: true })
  checkOutTime: string | null;
}

export class AvHistoryDto {
  /** For scripts. */
  results: AvCheckInDto[];
  /** @example 137 */
  @ApiProperty({ type: 'integer' })
  total: number;
  /** From 0. @example 0 */
  @ApiProperty({ type: 'integer' })
  page: number;
  /** @example 10 */
  @ApiProperty({ type: 'integer' })
  per_page: number;
  /** @example 14 */
  @ApiProperty({ type: 'integer' })
  total_pages: number;
  /** The same, for the page. */
  checkIns: AvPageCheckInDto[];
  /** The same as total. @example 137 */
  @ApiProperty({ type: 'integer' })
  totalCount: number;
}

export class AvStatsDto {
  /** @example 23 */
  @ApiProperty({ type: 'integer' })
  currentlyIn: number;
  /** Visits that began on this local day. @example 140 */
  @ApiProperty({ type: 'integer' })
  todayTotal: number;
  /** Of today's visits that have ended. @example 68 */
  @ApiProperty({ type: 'integer' })
  averageStayMinutes: number;
}

export class AvMemberNumbersDto {
  /** @example 150 */
  @ApiProperty({ type: 'integer' })
  total: number;
  /** @example 141 */
  @ApiProperty({ type: 'integer' })
  active: number;
  /** @example 2 */
  @ApiProperty({ type: 'integer' })
  new_today: number;
}

export class AvSubscriptionNumbersDto {
  /** @example 120 */
  @ApiProperty({ type: 'integer' })
  active: number;
  /** Those that end within 7 days. @example 9 */
  @ApiProperty({ type: 'integer' })
  expiring_soon: number;
}

export class AvFinanceDto {
  /** 0 to reception. @example 164.4 */
  today_revenue: number;
  /** We keep none. @example 0 */
  @ApiProperty({ type: 'integer' })
  pending_payments: 0;
}

export class AvCheckInNumbersDto {
  /** @example 140 */
  @ApiProperty({ type: 'integer' })
  today: number;
  /** @example 23 */
  @ApiProperty({ type: 'integer' })
  current: number;
}

export class AvAdminStatsDto {
  members: AvMemberNumbersDto;
  subscriptions: AvSubscriptionNumbersDto;
  finance: AvFinanceDto;
  checkins: AvCheckInNumbersDto;
}

export class AvNamedDto {
  /** @example "42" */
  id: string;
  /** @example "María López" */
  name: string;
}

export class AvExpirationDto {
  /** @example "31" */
  id: string;
  member: AvNamedDto;
  plan: AvNamedDto;
  /** The gym's local day. @example "2026-01-31" */
  end_date: string;
  /** From the gym's today. @example 5 */
  @ApiProperty({ type: 'integer' })
  days_remaining: number;
  /** @example "active" */
  status: string;
}

export class AvExpirationsDto {
  upcoming_expirations: AvExpirationDto[];
  /** @example 1 */
  @ApiProperty({ type: 'integer' })
  total_count: number;
}

export class AvSearchQuery {
  /** A name, a phone or a membership number. @example "maria" */
  @IsOptional()
  @EmptyIsNone()
  @IsString()
  @MaxLength(100)
  q?: string;
}

export class AvCheckInsQuery {
  /** Only of this member. @example "42" */
  @IsOptional()
  @EmptyIsNone()
  @IsString()
  @MaxLength(50)
  member?: string;

  /** Only of this local day. @example "2026-01-31" */
  @IsOptional()
  @EmptyIsNone()
  @IsLocalDate()
  date?: string;
}

const STATUSES = ['all', 'checked_in', 'in', 'checked_out', 'out'] as const;
const RANGES = ['all', 'today', 'yesterday', 'week', 'month'] as const;

export class AvHistoryQuery extends AvSearchQuery {
  /** @example "all" */
  @IsOptional()
  @EmptyIsNone()
  @IsIn(STATUSES)
  status?: (typeof STATUSES)[number];

  /** Local days: a week is today and the 6 days before it, a month today and the 29 before. @example "all" */
  @IsOptional()
  @EmptyIsNone()
  @IsIn(RANGES)
  dateRange?: (typeof RANGES)[number];

  /** From 0. @example 0 */
  @IsOptional()
  @LenientNumber()
  @ApiProperty({ type: 'integer', required: false })
  page?: number;

  /** 1 to 100; 10 by default. @example 10 */
  @IsOptional()
  @LenientNumber()
  @ApiProperty({ type: 'integer', required: false })
  perPage?: number;
}

export class AvNewCheckInDto extends PickType(CheckInDto, ['notes']) {
  /** An id, a membership number or a pass code. @example "42" */
  @Transform(({ value }: { value: unknown }) => (typeof value === 'number' ? String(value) : value))
  @IsString()
  @MaxLength(50)
  member: string;

  /** @example "Main entrance" */
  @IsOptional()
  @EmptyIsNone()
  @IsText(1, 200)
  location?: string | null;
}

/** What may be in them is said by the classes of the public API. */
export class AvNewMemberDto {
  /** @example "María López" */
  @IsString()
  full_name: string;

  /** As people write it; 3 to 20 digits. @example "+1 234 567 891" */
  @IsString()
  phone: string;

  /** @example "maria@example.com" */
  @IsOptional()
  @EmptyIsNone()
  @IsString()
  email?: string;
}

/** What is not sent stays as it is. */
export class AvChangedMemberDto extends PartialType(PickType(AvNewMemberDto, ['full_name', 'phone'])) {
  /** @example "active" */
  @IsOptional()
  @IsIn(['active', 'inactive'])
  status?: 'active' | 'inactive';
}
