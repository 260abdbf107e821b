import type { CheckInStatsDto } from '../../attendance/dto/checkin-messages.dto.js';
import type { VisitDto } from '../../attendance/dto/visit.dto.js';
import type { Role } from '../../common/actor/roles.js';
import { fromDigits, MAX_ID } from '../../common/http/whole.js';
import type { DashboardDto } from '../../dashboard/dto/dashboard.dto.js';
import type { AccountDto } from '../../people/dto/account.dto.js';
import type { UserPlanDto } from '../../plans/dto/user-plan.dto.js';
import { cutName, orEmpty } from '../wire/names.js';
import type {
  AvAdminStatsDto,
  AvCheckInDto,
  AvExpirationDto,
  AvHistoryDto,
  AvMeDto,
  AvMemberDto,
  AvPageCheckInDto,
  AvStatsDto,
} from './av-checkins.dto.js';

// Our answers as clients of av-checkins read them.

/** A time as it was read, or as it came through a socket. */
type Moment = Date | string;
/** A visit: of a service, or of a broadcast. */
type Visit = Omit<VisitDto, 'check_in_time' | 'check_out_time'> & {
  check_in_time: Moment;
  check_out_time: Moment | null;
};

const iso = (time: Moment): string => new Date(time).toISOString();

const ROLE: Record<Role, string> = {
  admin: 'ADMIN',
  manager: 'MANAGER',
  trainer: 'TRAINER',
  reception: 'FRONT_DESK',
  accountant: 'STAFF',
  user: 'MEMBER',
};

export const toMe = ({ id, username, email, full_name, role, is_active, created_at }: AccountDto): AvMeDto => ({
  ...{ id: String(id), username: orEmpty(username ?? email), email: orEmpty(email), ...cutName(full_name) },
  ...{ role: ROLE[role], is_active, date_joined: iso(created_at) },
});

interface Member {
  id: number;
  full_name: string;
  phone_number: string | null;
  email: string | null;
  is_active: boolean;
  created_at: Moment;
  updated_at: Moment;
}

export const toMember = (member: Member): AvMemberDto => ({
  ...{ id: String(member.id), full_name: member.full_name, phone: orEmpty(member.phone_number), address: '' },
  membership_number: `GYM${String(member.id).padStart(5, '0')}`,
  ...{ status: member.is_active ? 'active' : 'inactive', email: orEmpty(member.email), notes: '', image_url: null },
  ...{ created_at: iso(member.created_at), updated_at: iso(member.updated_at) },
});

export function toCheckIn({ id, member, location, notes, status, ...times }: Visit): AvCheckInDto {
  const { membership } = member;
  return {
    id: String(id),
    member: {
      ...{ id: String(member.id), full_name: member.full_name, email: orEmpty(member.email) },
      membership_type: membership?.status === 'active' ? membership.plan_name : '',
    },
    check_in_time: iso(times.check_in_time),
    check_out_time: times.check_out_time && iso(times.check_out_time),
    ...{ location: orEmpty(location), notes: orEmpty(notes), status },
  };
}

export const toPageCheckIn = ({ id, member, check_in_time, check_out_time }: Visit): AvPageCheckInDto => ({
  id: String(id),
  member: { id: String(member.id), fullName: member.full_name },
  ...{ checkInTime: iso(check_in_time), checkOutTime: check_out_time && iso(check_out_time) },
});

/** @param page from 0 */
export const toHistory = (visits: VisitDto[], total: number, page: number, size: number): AvHistoryDto => ({
  results: visits.map(toCheckIn),
  ...{ total, page, per_page: size, total_pages: Math.ceil(total / size) },
  checkIns: visits.map(toPageCheckIn),
  totalCount: total,
});

export const toStats = ({ currently_in, today_total, average_stay_minutes }: CheckInStatsDto): AvStatsDto => ({
  ...{ currentlyIn: currently_in, todayTotal: today_total, averageStayMinutes: average_stay_minutes },
});

/** Of a dashboard that shows the gym; money that is not shown is 0. */
export const toAdminStats = ({ members, subscriptions, revenue, visits }: DashboardDto): AvAdminStatsDto => ({
  members: { total: members!.total, active: members!.active, new_today: members!.new_today },
  subscriptions: { active: subscriptions!.active, expiring_soon: subscriptions!.expiring_7_days },
  finance: { today_revenue: revenue?.today ?? 0, pending_payments: 0 },
  checkins: { today: visits!.today, current: visits!.inside_now },
});

/** The local day of a moment, YYYY-MM-DD. */
const dayIn = (timezone: string, moment: Moment): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone: timezone }).format(new Date(moment));

export function toExpiration(plan: UserPlanDto, timezone: string, now = new Date()): AvExpirationDto {
  const end = dayIn(timezone, plan.expires_at!);
  return {
    id: String(plan.id),
    member: { id: String(plan.user.id), name: plan.user.full_name },
    plan: { id: String(plan.plan.id), name: plan.plan.name },
    end_date: end,
    days_remaining: (Date.parse(end) - Date.parse(dayIn(timezone, now))) / 86_400_000,
    status: plan.status,
  };
}

/** Whose card it is: an id, a membership number (GYM00042) or a pass code; null: it can be no one's. */
export function readCard(typed: unknown): { id: number } | { code: string } | null {
  const text = typeof typed === 'string' ? typed.trim() : typed;
  const id = readId(typeof text === 'string' ? text.replace(/^GYM(?=\d{5,10}$)/i, '') : text);
  if (id !== null) return { id };
  return typeof text === 'string' && /^GYM-\d+-\w+$/.test(text) ? { code: text } : null;
}

/** What the desk typed to find a member, if it is a membership number: their id. */
export function readMembershipNumber(typed: string): number | null {
  return readId(/^\s*GYM-?(\d{1,10})\s*$/i.exec(typed)?.[1]);
}

/** An id, as a number or its digits; null: it is none. */
export function readId(typed: unknown): number | null {
  const number = fromDigits(typed);
  return typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= MAX_ID ? number : null;
}

/** The numbers as a socket tells them. */
export type AvTimedStats = AvStatsDto & { timestamp: string };
export const toTimedStats = (stats: CheckInStatsDto): AvTimedStats => ({
  ...toStats(stats),
  timestamp: stats.timestamp,
});

/**
 * What all sockets of the gym are told of a visit, in this order. The last frame is for three screens at once: they
 * read the check-in, the numbers, or `type` and `checkIn`.
 * @param stats null: they cannot be counted now
 */
export function framesOf(type: 'check_in' | 'check_out', visit: Visit, stats: AvTimedStats | null): object[] {
  const checkIn = toCheckIn(visit);
  const news = { type: type === 'check_in' ? 'member_checked_in' : 'member_checked_out', payload: checkIn };
  if (!stats) return [news];
  const update = { ...checkIn, ...stats, type, checkIn: toPageCheckIn(visit) };
  return [news, { type: 'check_in_stats', payload: stats }, { type: 'check_in_update', payload: update }];
}
