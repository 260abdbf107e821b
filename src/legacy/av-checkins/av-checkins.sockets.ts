import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { BatchOutcomeDto, BatchResultDto, CheckInStatsDto } from '../../attendance/dto/checkin-messages.dto.js';
import type { VisitDto } from '../../attendance/dto/visit.dto.js';
import type { Actor, ScopedGymId } from '../../common/actor/actor.js';
import { ActorResolver } from '../../common/actor/actor-resolver.js';
import type { DomainError } from '../../common/errors/domain-error.js';
import { codeOf, isRefusal, type PlainConnection, Refused } from '../plain/plain-connection.js';
import { CLOSE, type Frame, type Nonsense, type PlainSocket } from '../plain/plain-socket.js';
import { PlainSockets } from '../plain/plain-sockets.js';
import { type AvTimedStats, framesOf, readCard, readId, toCheckIn, toTimedStats } from './av-checkins.wire.js';
import { AvDesk } from './av-desk.js';

// `/ws/checkins`: frames {type, payload} and the messages of `/checkins` that they become.

const MOST_IN_A_BATCH = 100;
const NONSENSE: Record<Nonsense, string> = {
  no_json: 'Invalid JSON format',
  no_object: 'A message is an object with a type',
  too_large: 'This message is too large',
  too_many: 'Too many messages at once',
};
const NO_MEMBER = 'Member not found';
const NO_VISIT = 'Check-in not found or already checked out';

/** The broadcasts that are translated. */
const HEARD = { member_checked_in: 'check_in', member_checked_out: 'check_out', check_in_stats: null } as const;
type Heard = keyof typeof HEARD;
type Broadcast = CheckInStatsDto | VisitDto;

/** What all sockets of a gym are told of one of them. */
interface News {
  frames: object[];
  /** null: they cannot be counted now. */
  stats: AvTimedStats | null;
}

@Injectable()
export class AvCheckInsSockets implements OnModuleInit {
  private readonly logger = new Logger('AvCheckIns');
  /** A broadcast is one object for all sockets of this server, so it is translated once. */
  private readonly known = new WeakMap<Broadcast, Promise<News>>();

  constructor(
    private readonly sockets: PlainSockets,
    readonly actors: ActorResolver,
    readonly desk: AvDesk,
  ) {}

  onModuleInit(): void {
    this.sockets.add({
      path: /^\/ws\/checkins$/,
      open: (socket, _, query) => new AvCheckInsSocket(socket, this).open(query.get('token')),
    });
  }

  newsOf(gymId: ScopedGymId, event: Heard, broadcast: Broadcast): Promise<News> {
    const known = this.known.get(broadcast);
    if (known) return known;
    const news = this.translate(gymId, HEARD[event], broadcast);
    this.known.set(broadcast, news);
    return news;
  }

  /** The numbers belong to each visit; the public ones come once a second. */
  private async translate(gymId: ScopedGymId, type: (typeof HEARD)[Heard], broadcast: Broadcast): Promise<News> {
    const stats = await this.desk.stats(gymId).then(toTimedStats, (error: unknown) => {
      this.logger.warn(error);
      return null;
    });
    if (type) return { frames: framesOf(type, broadcast as VisitDto, stats), stats };
    return { frames: stats ? [{ type: 'check_in_stats', payload: stats }] : [], stats };
  }
}

/** An entry of a batch of `/checkins`, which checks its fields; or why there is none. */
type Entry<Message> = { message: Message } | { error: string };

class AvCheckInsSocket {
  private link: PlainConnection | undefined;
  private actor: Actor;
  private gymId: ScopedGymId;
  /** What was told, and is to be told: in the order in which it happened, and behind the first numbers. */
  private told = Promise.resolve();
  private lastNumbers = '';

  constructor(
    private readonly socket: PlainSocket,
    private readonly family: AvCheckInsSockets,
  ) {}

  async open(token: string | null): Promise<void> {
    this.socket.converse({
      frame: (frame) => this.answer(frame),
      nonsense: (problem) => this.socket.send({ type: 'error', message: NONSENSE[problem] }),
    });
    if (token) await this.signIn(token);
    else this.socket.expectSignIn();
  }

  private async answer(frame: Frame): Promise<void> {
    const payload = asObject(frame.payload) ?? asObject(frame.data) ?? {};
    const { type } = frame;
    if (type === 'ping') return this.socket.send({ type: 'pong' });
    if (type === 'heartbeat') return this.socket.send({ type: 'heartbeat_ack', timestamp: new Date().toISOString() });
    if (type === 'authenticate') {
      return this.signIn(textOf(payload.token ?? frame.token), () =>
        this.socket.send({ type: 'authentication_success', message: 'Authenticated' }),
      );
    }
    if (!this.link) return this.socket.send({ type: 'error', message: 'Authenticate first' });
    if (type === 'check_in') return this.run(this.link, { check_in: [payload] });
    if (type === 'check_out') return this.run(this.link, { check_out: [payload] });
    if (type === 'batch') return this.batch(this.link, asObject(frame.batches) ?? asObject(payload.batches) ?? {});
    this.socket.send({ type: 'error', message: `Unknown message type: ${textOf(type).slice(0, 50)}` });
  }

  /** Closes the socket if the token is not good. */
  private async signIn(token: string, tell?: () => void): Promise<void> {
    try {
      const { actor } = await this.family.actors.resolve({ headers: { authorization: `Bearer ${token}` } });
      const gymId = await this.family.desk.gymOf(actor);
      this.link?.leave();
      this.actor = actor;
      this.gymId = gymId;
      let begin!: () => void;
      this.told = new Promise((resolve) => (begin = resolve));
      this.link = await this.socket.join('/checkins', { token }, (event, payload) => this.hear(event, payload));
      this.socket.signedIn();
      tell?.();
      const stats = toTimedStats(await this.family.desk.stats(gymId));
      this.tell({ frames: [{ type: 'initial_stats', payload: stats }], stats });
      begin();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.socket.close((error instanceof Refused ? error.close_code : closeCodeOf(error)) ?? CLOSE.not_signed_in);
    }
  }

  private hear(event: string, payload: unknown): void {
    // An admin hears of all gyms.
    if (!isHeard(event) || (payload as Broadcast).gym_id !== this.gymId) return;
    const told = this.tellBehind(this.told, event, this.family.newsOf(this.gymId, event, payload as Broadcast));
    this.told = told.catch((error: unknown) => this.socket.fail(error));
  }

  private async tellBehind(others: Promise<void>, event: Heard, asked: Promise<News>): Promise<void> {
    await others;
    const news = await asked;
    // The numbers were told with a visit, so that those that follow within a second are seldom other ones.
    if (event !== 'check_in_stats' || numbersOf(news.stats) !== this.lastNumbers) this.tell(news);
  }

  private tell({ frames, stats }: News): void {
    for (const frame of frames) this.socket.send(frame);
    this.lastNumbers = numbersOf(stats);
  }

  private async batch(link: PlainConnection, batches: Frame): Promise<void> {
    const [checkOuts, checkIns] = [asList(batches.check_out), asList(batches.check_in)];
    const longest = Math.max(checkOuts.length, checkIns.length);
    if (longest > 0 && longest <= MOST_IN_A_BATCH) return this.run(link, { check_out: checkOuts, check_in: checkIns });
    const message = `A batch has 1 to ${MOST_IN_A_BATCH} entries in check_in or check_out`;
    this.socket.send({ type: 'error', message });
  }

  /** Each entry is answered by itself, check-outs first; they are one message of `/checkins`. */
  private async run(
    link: PlainConnection,
    { check_out = [], check_in = [] }: { check_out?: unknown[]; check_in?: unknown[] },
  ): Promise<void> {
    const checkOuts = await this.read(check_out, (entry) => this.checkOutOf(entry));
    const checkIns = await this.read(check_in, (entry) => this.checkInOf(entry));
    const batches = { check_out: checkOuts.flatMap(messageOf), check_in: checkIns.flatMap(messageOf) };
    const isNothing = batches.check_out.length + batches.check_in.length === 0;
    const done = isNothing ? { check_out: [], check_in: [] } : await ask(link, batches);
    for (const entry of checkOuts) {
      const outcome = 'error' in entry ? entry : this.ended(done.check_out.shift()!);
      this.say('check_out', outcome);
    }
    for (const entry of checkIns) {
      const outcome = 'error' in entry ? entry : await this.begun(done.check_in.shift()!, entry.message.member_id);
      this.say('check_in', outcome);
    }
  }

  private say(type: 'check_in' | 'check_out', outcome: VisitDto | { error: string }): void {
    if ('error' in outcome) this.socket.send({ type: `${type}_error`, payload: { error: outcome.error } });
    else this.socket.send({ type: `${type}_success`, payload: toCheckIn(outcome) });
  }

  private async read<Message>(
    entries: unknown[],
    readOne: (entry: Frame) => Promise<Entry<Message>>,
  ): Promise<Entry<Message>[]> {
    const read: Entry<Message>[] = [];
    for (const entry of entries) {
      try {
        read.push(await readOne(asObject(entry) ?? {}));
      } catch (error) {
        if (!isRefusal(error)) throw error;
        read.push({ error: error.message });
      }
    }
    return read;
  }

  private async checkInOf(entry: Frame): Promise<Entry<Frame & { member_id: number }>> {
    const { location, notes } = entry;
    const id = await this.memberIdOf(entry.memberId ?? entry.member_id ?? entry.member);
    if (id === null) return { error: NO_MEMBER };
    return { message: { member_id: id, location: location || undefined, notes } };
  }

  private async checkOutOf(entry: Frame): Promise<Entry<Frame>> {
    const id = readId(entry.checkInId ?? entry.check_in_id ?? entry.id);
    if (id === null || !(await this.isOfOurGym(id))) return { error: NO_VISIT };
    return { message: { check_in_id: id, notes: entry.notes } };
  }

  /** null: there is no such member in the gym, as far as that is known before the check-in. */
  private async memberIdOf(card: unknown): Promise<number | null> {
    const read = readCard(card);
    if (!read) return null;
    // Of all but an admin the check-in itself asks for the gym.
    if ('id' in read && !this.actor.is('admin')) return read.id;
    return notFoundIsNull(this.family.desk.memberOfCard(this.actor, card).then(({ id }) => id));
  }

  private async isOfOurGym(visitId: number): Promise<boolean> {
    if (!this.actor.is('admin')) return true;
    return (await notFoundIsNull(this.family.desk.visit(this.actor, visitId))) !== null;
  }

  private ended({ visit, refusal }: BatchOutcomeDto): VisitDto | { error: string } {
    if (visit) return visit;
    const { code, error } = refusal!;
    return { error: ['visit_not_found', 'already_checked_out'].includes(code) ? NO_VISIT : error };
  }

  private async begun({ visit, refusal }: BatchOutcomeDto, memberId: number): Promise<VisitDto | { error: string }> {
    if (visit) return visit;
    const { code, error, errors = [] } = refusal!;
    if (errors.some(({ field }) => field === 'member_id')) return { error: NO_MEMBER };
    if (code !== 'already_checked_in') return { error };
    const member = await notFoundIsNull(this.family.desk.member(this.actor, memberId));
    return { error: member ? `${member.full_name} is already checked in` : NO_MEMBER };
  }
}

/** The whole batch may be refused: then each of its entries is. */
async function ask(link: PlainConnection, batches: { check_out: unknown[]; check_in: unknown[] }) {
  try {
    return await link.ask<BatchResultDto>('batch', { batches });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const refused = (event: string) => () => ({ refusal: { code: error.code, error: error.message, event } });
    return {
      check_out: batches.check_out.map(refused('check_out')),
      check_in: batches.check_in.map(refused('check_in')),
    } satisfies BatchResultDto;
  }
}

const isHeard = (event: string): event is Heard => Object.hasOwn(HEARD, event);
const messageOf = <Message>(entry: Entry<Message>): Message[] => ('message' in entry ? [entry.message] : []);
const numbersOf = (stats: AvTimedStats | null): string =>
  stats ? `${stats.currentlyIn} ${stats.todayTotal} ${stats.averageStayMinutes}` : '';

/** The close code of what a token is refused with. */
const closeCodeOf = ({ kind: { status } }: DomainError): number =>
  status === 403 ? CLOSE.not_allowed : status === 401 ? CLOSE.not_signed_in : CLOSE.our_fault;

async function notFoundIsNull<Found>(asked: Promise<Found>): Promise<Found | null> {
  try {
    return await asked;
  } catch (error) {
    if (isRefusal(error) && ['user_not_found', 'visit_not_found'].includes(codeOf(error))) return null;
    throw error;
  }
}

const asObject = (value: unknown): Frame | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Frame) : undefined;
const asList = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
