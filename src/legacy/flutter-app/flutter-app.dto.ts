import { applyDecorators, type Type } from '@nestjs/common';
import { ApiProperty, PickType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Role } from '../../common/actor/roles.js';
import { IsLocalDate, IsMoney } from '../../common/http/fields.js';
import { fromDigits, IsWhole, MAX_ID } from '../../common/http/whole.js';
import { LANGUAGES, type Language } from '../../people/dto/account.dto.js';
import { NewMemberDto } from '../../members/dto/user.dto.js';
import { TextOrNothing } from '../sign-in/sign-in.dto.js';

// What comes in. These apps send "" for what they do not mean, and numbers as texts.

/** What is empty is not sent, nor is the null that stands in an address; what is no id is 0, which nothing has. */
function idIn(value: unknown): number | undefined {
  if (value === undefined || value === null || value === 'null') return undefined;
  const id = fromDigits(value);
  return Number.isInteger(id) && Number(id) >= 1 && Number(id) <= MAX_ID ? Number(id) : 0;
}

const WhatIsSent = (read: (value: unknown) => unknown) =>
  Transform(({ value }: { value: unknown }) => (value === '' || value === null ? undefined : read(value)));
const AnId = () => applyDecorators(IsOptional(), WhatIsSent(idIn), ApiProperty({ type: 'integer', required: false }));
/** Of another kind. */
const IfSent = () =>
  applyDecorators(
    IsOptional(),
    WhatIsSent((value) => value),
  );
const NeededId = () =>
  applyDecorators(WhatIsSent(idIn), IsInt({ message: 'is required' }), ApiProperty({ type: 'integer' }));
const AText = (longest = 200) => applyDecorators(IsOptional(), WhatIsSent(String), MaxLength(longest));

/** A page or a size; a bad one is as good as none. */
const ANumber = () =>
  applyDecorators(
    IsOptional(),
    WhatIsSent((value) => {
      const number = fromDigits(value);
      return Number.isInteger(number) && Number(number) >= 1 ? number : undefined;
    }),
    ApiProperty({ type: 'integer', required: false }),
  );
const ADay = () =>
  applyDecorators(
    IsOptional(),
    // Some send a time of that day.
    WhatIsSent((value) => (typeof value === 'string' ? value.slice(0, 10) : value)),
    IsLocalDate(),
  );

export class BranchQuery {
  /** Only of this branch. Default: one's own; for an admin all. @example 1 */
  @AnId()
  branch_id?: number;
}

export class PageQuery extends BranchQuery {
  /** From 1. */
  @ANumber()
  page?: number;

  /** Items on a page, at most 10,000. Default: `limit`. */
  @ANumber()
  per_page?: number;

  /** The same. Default: all. */
  @ANumber()
  limit?: number;
}

export class EntriesQuery extends PickType(PageQuery, ['page', 'per_page', 'limit']) {}

export class CustomersQuery extends PageQuery {
  /** Words of a name, a phone, an email or a document; or a QR code. */
  @AText()
  search?: string;
}

export class CustomerSearchQuery extends PickType(PageQuery, ['branch_id', 'limit']) {
  /** Words of a name, a phone, an email or a document; or a QR code. */
  @AText()
  q?: string;
}

export class SubscriptionsQuery extends PageQuery {
  /** Only of this customer. */
  @AnId()
  customer_id?: number;

  /** active, scheduled, frozen, expired or stopped, in any letters. */
  @AText()
  status?: string;
}

export class DaysQuery {
  /** From this local day on. Default: from the beginning. @example "2026-01-01" */
  @ADay()
  start_date?: string;

  /** Until this local day. Default: today. @example "2026-12-31" */
  @ADay()
  end_date?: string;
}

export class ReportQuery extends DaysQuery {
  /** Only of this branch. Default: one's own; for an admin all. @example 1 */
  @AnId()
  branch_id?: number;
}

export class PeopleQuery extends BranchQuery {
  /** Only these. @example "trainer" */
  @AText()
  role?: string;
}

export class DeductBody {
  /** It must be this customer's subscription. @example 8 */
  @AnId()
  customer_id?: number;

  /** Always 1. @example 1 */
  @IsOptional()
  @WhatIsSent(fromDigits)
  @IsIn([1])
  amount?: number;
}

export class InBranch {
  /** Another than one's own is refused. @example 1 */
  @AnId()
  branch_id?: number;
}

export class AttendanceBody extends InBranch {
  /** @example 8 */
  @AnId()
  customer_id?: number;

  /** The current code of their pass; not read beside customer_id. */
  @AText()
  qr_code?: string;

  /** `check_in_with_deduction` takes a session, unless subscription_id is there. @example "check_in_only" */
  @IfSent()
  @IsIn(['check_in_only', 'check_in_with_deduction'])
  action?: 'check_in_only' | 'check_in_with_deduction';

  /** From which the app has deducted just now. */
  @AnId()
  subscription_id?: number;
}

export class CustomerBody extends PickType(NewMemberDto, ['full_name', 'email', 'document_id', 'language']) {
  /** 3 to 20 digits. @example "01077827638" */
  @IsString()
  phone: string;

  /** Unique, whatever the case. @example "nour@example.com" */
  @WhatIsSent((value) => value)
  override email?: string | null;

  /** Passport, identity card or the like; unique. @example "AB123456" */
  @WhatIsSent((value) => value)
  override document_id?: string | null;

  /** @example 1 */
  @AnId()
  branch_id?: number;
}

export class ActivateBody extends InBranch {
  /** @example 8 */
  @NeededId()
  customer_id: number;

  /** @example 1 */
  @NeededId()
  service_id: number;

  /** What is paid. Default: the price. @example 39.9 */
  @IfSent()
  @IsMoney()
  amount?: number;

  /** As many as the service has. */
  @IfSent()
  @IsWhole(0, 1_000_000)
  coins?: number;

  /** As long as the service lasts: 30 days each. @example 1 */
  @IfSent()
  @IsWhole(0, 1_200)
  duration_months?: number;

  /** As many as the service has. */
  @IfSent()
  @IsWhole(0, 1_000_000)
  sessions?: number;
}

export class StopBody {
  /** @example 31 */
  @NeededId()
  subscription_id: number;
}

export class RenewBody extends StopBody {
  /** What is paid. Default: the price. @example 39.9 */
  @IfSent()
  @IsMoney()
  amount?: number;
}

export class FreezeBody extends StopBody {
  /** @example 7 */
  @IfSent()
  @IsWhole(1, 365)
  freeze_days?: number;
}

export class LanguageBody {
  /** @example "en" */
  @IsIn(LANGUAGES)
  preferred_language: Language;
}

export class ClientLoginBody {
  /** A phone in whatever form, or an email. @example "01077827638" */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'number' ? String(value) : value))
  @IsString()
  phone?: string;

  /** @example "RX04AF" */
  @IsOptional()
  @IsString()
  password?: string;
}

export class ClientRefreshBody {
  @TextOrNothing()
  refresh_token?: string;
}

// What goes out.

export class CustomerWire {
  /** @example 8 */
  id: number;
  /** @example "María López" */
  full_name: string;
  phone: string | null;
  email: string | null;
  /** For the first sign-in; null once it was changed, and to accountant and trainer. @example "RX04AF" */
  temp_password: string | null;
  password_changed: boolean;
  /** null to accountant and trainer. @example "GYM-8-8FDCDBEB" */
  qr_code: string | null;
  branch_id: number | null;
  has_active_subscription: boolean;
  created_at: Date;
}

export const SUBSCRIPTION_STATUSES = ['active', 'scheduled', 'frozen', 'expired', 'stopped'] as const;
export type SubscriptionStatus = (typeof SUBSCRIPTION_STATUSES)[number];

export class SubscriptionWire {
  /** @example 31 */
  id: number;
  customer_id: number;
  customer_name: string;
  service_id: number;
  service_name: string;
  branch_id: number;
  @ApiProperty({ enum: SUBSCRIPTION_STATUSES })
  status: SubscriptionStatus;
  /** What was paid. @example 39.9 */
  amount: number;
  /** null: it is not counted. */
  remaining_sessions: number | null;
  @ApiProperty({ enum: ['monthly', 'coins', 'sessions'] })
  subscription_type: 'monthly' | 'coins' | 'sessions';
  @ApiProperty({ enum: ['time', 'coins', 'sessions'] })
  type: 'time' | 'coins' | 'sessions';
  /** A local day. @example "2026-01-31" */
  start_date: string | null;
  /** A local day. @example "2026-03-02" */
  end_date: string | null;
}

export class DeductedWire {
  remaining_sessions: number | null;
  @ApiProperty({ enum: SUBSCRIPTION_STATUSES })
  status: SubscriptionStatus;
}

export class VisitWire {
  attendance_id: number;
  customer_name: string;
  check_in_time: Date;
  remaining_sessions: number | null;
}

export class BranchWire {
  /** @example 1 */
  id: number;
  name: string;
  /** The address. */
  location: string | null;
  address: string | null;
  phone: string | null;
  is_active: boolean;
  staff_count: number;
  customer_count: number;
}

export class BranchFiguresWire extends BranchWire {
  branch_id: number;
  branch_name: string;
  customers: number;
  active_subscriptions: number;
  /** Of products and services, in the time that is asked for. null to reception. */
  revenue: number | null;
}

export class PersonWire {
  /** @example 4 */
  id: number;
  /** The email, if there is none. */
  username: string | null;
  full_name: string;
  /** The same. */
  name: string;
  /** manager, reception, accountant or trainer. @example "trainer" */
  @ApiProperty({ type: 'string' })
  role: Role;
  branch_id: number | null;
  is_active: boolean;
}

export class OverviewWire {
  /** Of all time. null to reception. */
  total_revenue: number | null;
  active_subscriptions: number;
  total_customers: number;
  total_branches: number;
}

export class ServiceWire {
  /** @example 1 */
  id: number;
  name: string;
  description: string;
  price: number;
  /** null: until its sessions or coins are used up. */
  duration_days: number | null;
  /** gym (by time or coins) or personal_training (by sessions). */
  @ApiProperty({ enum: ['gym', 'personal_training'] })
  service_type: 'gym' | 'personal_training';
  is_active: boolean;
}

export class RegisteredWire {
  id: number;
  customer: CustomerWire;
}

export class GivenPasswordWire {
  /** @example "RX04AF" */
  temporary_password: string | null;
}

export class LanguageWire {
  /** @example "en" */
  preferred_language: string;
}

export class FiguresWire {
  /** null to reception. */
  total_revenue: number | null;
  active_subscriptions: number;
  total_customers: number;
  check_ins_count: number;
}

/** The figures stand at the top, too. */
export class FiguresAnswer extends FiguresWire {
  /** @example true */
  success: boolean;
  message: string;
  data: FiguresWire;
}

export class OwnerAlerts {
  /** Within 7 days. */
  expiring_subscriptions: number;
  /** Within 3 days. */
  expiring_soon: number;
  /** @example 0 */
  open_complaints: number;
  /** @example 0 */
  pending_expenses: number;
}
export class OwnerWire {
  alerts: OwnerAlerts;
}

export class ManagerCustomers {
  active: number;
  total: number;
}
export class ManagerRevenue {
  /** null to reception. */
  last_7_days: number | null;
}
export class ManagerStaff {
  count: number;
}
export class ManagerAlerts extends PickType(OwnerAlerts, ['expiring_subscriptions', 'open_complaints']) {}
export class ManagerWire {
  customers: ManagerCustomers;
  revenue: ManagerRevenue;
  staff: ManagerStaff;
  alerts: ManagerAlerts;
}

export class AccountantToday {
  total: number;
  /** Of sales of products and services. */
  count: number;
}
export class AccountantMonth {
  revenue: number;
  /** @example 0 */
  expenses: number;
  net: number;
  /** @example 0 */
  pending_expenses: number;
}
export class AccountantLastMonth {
  revenue: number;
}
export class AccountantComparison {
  change: number;
  /** 0 if there was nothing last month. @example 12.5 */
  percentage: number;
}
export class AccountantWire {
  today: AccountantToday;
  current_month: AccountantMonth;
  last_month: AccountantLastMonth;
  comparison: AccountantComparison;
}

// The member's app.

export class ClientWire {
  /** @example 8 */
  id: number;
  full_name: string;
  phone: string | null;
  email: string | null;
  /** @example "GYM-8-8FDCDBEB" */
  qr_code: string | null;
  branch_id: number | null;
  branch_name: string | null;
  has_active_subscription: boolean;
  /** @example "en" */
  preferred_language: string;
}

export class ClientSubscriptionWire {
  /** @example 31 */
  id: number;
  @ApiProperty({ enum: ['monthly', 'coins', 'sessions'] })
  subscription_type: 'monthly' | 'coins' | 'sessions';
  service_name: string;
  start_date: string | null;
  end_date: string | null;
  @ApiProperty({ enum: SUBSCRIPTION_STATUSES })
  status: SubscriptionStatus;
  /** Of a service by coins. */
  remaining_coins?: number;
  /** Of a service by sessions. */
  remaining_sessions?: number;
  @ApiProperty({ enum: ['coins', 'time', 'sessions'] })
  display_metric: 'coins' | 'time' | 'sessions';
  /** Coins, sessions or days left. */
  display_value: number;
  /** @example "Days remaining" */
  display_label: string;
}

export class ClientMeWire extends ClientWire {
  @ApiProperty({ type: ClientSubscriptionWire, nullable: true })
  active_subscription: ClientSubscriptionWire | null;
}

export class ClientSignedInWire {
  access_token: string;
  /** Good again and again for two days. */
  refresh_token: string;
  password_changed: boolean;
  customer: ClientWire;
}

export class ClientTokenWire {
  access_token: string;
}

export class ClientEntryWire {
  /** @example 12 */
  id: number;
  /** On the gym's clock. @example "2026-01-31" */
  date: string;
  /** @example "18:30:00" */
  time: string;
  branch: string;
  service: string;
  coins_used: number;
}

export class ClientCodeWire {
  /** @example "GYM-8-8FDCDBEB" */
  qr_code: string;
  expires_at: Date;
}
export class ClientCodeAnswer {
  /** @example true */
  success: boolean;
  /** @example "success" */
  status: string;
  data: ClientCodeWire;
}

export class CodeWire {
  qr_code: string;
}
export class CodeAnswer extends CodeWire {
  /** @example true */
  success: boolean;
  message: string;
  data: CodeWire;
}

export class PaginationWire {
  total: number;
  pages: number;
  current_page: number;
  per_page: number;
}

/** {success, message, data} where there is nothing to tell. */
export class NothingAnswer {
  /** @example true */
  success: boolean;
  message: string;
  @ApiProperty({ type: 'string', nullable: true, example: null })
  data: null;
}

/** The same around this, or these. @param nullable there may be none */
export function Done(data: Type | [Type], nullable = false): Type {
  const [type, isArray] = Array.isArray(data) ? [data[0], true] : [data, false];
  class Answer {
    @ApiProperty({ type: 'boolean', example: true })
    success: boolean;
    @ApiProperty({ type: 'string' })
    message: string;
    @ApiProperty({ type, isArray, ...(nullable && { nullable }) })
    data: unknown;
  }
  return named(Answer, `${type.name}${isArray ? 's' : ''}Answer`);
}

/** The same around a list with its pages. */
export function DoneList(type: Type, hasPages = true): Type {
  class List {
    @ApiProperty({ type, isArray: true })
    items: unknown[];
  }
  class Pages extends List {
    @ApiProperty({ type: PaginationWire })
    pagination: PaginationWire;
  }
  return Done(named(hasPages ? Pages : List, `${type.name}${hasPages ? 'Page' : 'List'}`));
}

const named = (type: Type, name: string): Type => Object.defineProperty(type, 'name', { value: name });
