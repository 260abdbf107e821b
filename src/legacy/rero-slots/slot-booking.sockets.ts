import { Injectable, type OnModuleInit } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { AccessChanged } from '../../auth/auth.events.js';
import { clientOf } from '../../auth/client.js';
import type { Actor } from '../../common/actor/actor.js';
import { ActorResolver } from '../../common/actor/actor-resolver.js';
import { DomainError } from '../../common/errors/domain-error.js';
import { toDomainError } from '../../common/errors/problem.js';
import { fromDigits } from '../../common/http/whole.js';
import { Notifications } from '../../database/notifications.js';
import { Handshake } from '../../realtime/handshake.js';
import { CLOSE, type Frame, type Nonsense, type PlainSocket } from '../plain/plain-socket.js';
import { PlainSockets } from '../plain/plain-sockets.js';
import { Refusal } from '../wire/refusal.js';
import { PublicDay, type SlotsFrame } from './public-day.js';
import { ReroDesk } from './rero-desk.js';
import { ReroPeople } from './rero-people.js';
import { PageCookie } from './viewer-cookie.js';

const MISSING = 'Missing slot_id, email, or password in booking request';
const NOT_AUTHENTICATED = 'Authentication failed. Invalid email or password.';
export const NONSENSE: Record<Nonsense, string> = {
  no_json: 'Invalid JSON format',
  no_object: 'A message must be a JSON object',
  too_large: 'This message is too large',
  too_many: 'Too many messages',
};

interface Viewer {
  socket: PlainSocket;
  /** Who looks; null: that is not known. */
  actor: Actor | null;
  /** Who looks is known by the cookie alone: when that is over, the socket goes on without it. */
  isByCookie: boolean;
  shown?: SlotsFrame;
}

/**
 * `/slot-booking`. Each frame that does something says who does it, so nothing is asked of the namespace `/slots`,
 * where a connection is one person's. All sockets follow one watcher of the day.
 */
@Injectable()
export class SlotBookingSockets implements OnModuleInit {
  private readonly viewers = new Map<PlainSocket, Viewer>();

  constructor(
    private readonly plain: PlainSockets,
    private readonly day: PublicDay,
    private readonly people: ReroPeople,
    private readonly desk: ReroDesk,
    private readonly cookie: PageCookie,
    private readonly actors: ActorResolver,
    private readonly handshake: Handshake,
    private readonly notifications: Notifications,
  ) {}

  /** Sockets of this server. */
  get count(): number {
    return this.viewers.size;
  }

  onModuleInit(): void {
    this.plain.add({
      path: /^\/slot-booking$/,
      headers: (request) => this.cookie.headers(request),
      open: (socket) => this.open(socket),
    });
    this.notifications.listen('access_changed', (userId) => void this.recheck(Number(userId)));
    this.notifications.onReset(() => void this.recheck());
  }

  /** This server need not wait to be told of what it did itself. */
  @OnEvent(AccessChanged.name)
  onAccessChanged({ user_id }: AccessChanged): void {
    void this.recheck(user_id);
  }

  private async open(socket: PlainSocket): Promise<void> {
    const viewer: Viewer = { socket, actor: null, isByCookie: true };
    socket.converse({
      frame: (frame) => this.handle(viewer, frame),
      nonsense: (problem) => socket.send({ type: 'error', message: NONSENSE[problem] }),
    });
    const session = await this.cookie.sessionOf(socket.request);
    if (!socket.isAlive) return;
    this.viewers.set(socket, viewer);
    socket.whenGone(() => this.forget(socket));
    if (session) {
      viewer.actor = await this.actors.currentActor({ ...session, password_version: null }).catch(() => null);
      void this.recheck(session.user_id);
    }
    await this.day.followBy(() => this.tell());
    if (this.viewers.size === 0) return this.day.unfollow();
    await this.day.readLately();
    this.show(viewer);
  }

  private forget(socket: PlainSocket): void {
    this.viewers.delete(socket);
    if (this.viewers.size === 0) this.day.unfollow();
  }

  private tell(): void {
    for (const viewer of this.viewers.values()) viewer.socket.inOrder(() => this.show(viewer));
  }

  /** Shows the newest day, if it is not what they see already. */
  private show(viewer: Viewer, isAsked = false): void {
    const frame = this.day.frameFor(viewer.actor);
    if (frame === viewer.shown && !isAsked) return;
    viewer.shown = frame;
    viewer.socket.send(frame);
  }

  private async handle(viewer: Viewer, frame: Frame): Promise<void> {
    const { socket } = viewer;
    switch (frame.type) {
      case 'get_slots':
        await this.findAsker(viewer, frame).catch(requireRefusal);
        await this.day.read();
        return this.show(viewer, true);
      case 'book_slot':
        return this.change(viewer, frame, 'booking_response', (actor, slotId) => this.desk.book(actor, slotId));
      case 'cancel_slot':
        return this.change(viewer, frame, 'cancellation_response', (actor, slotId) => this.desk.cancel(actor, slotId));
      default:
        socket.send({ type: 'error', message: `Unknown message type: ${textOf(frame.type)?.slice(0, 50) ?? 'none'}` });
    }
  }

  private async change(
    viewer: Viewer,
    frame: Frame,
    type: string,
    work: (actor: Actor, slotId: number) => Promise<object>,
  ): Promise<void> {
    const { socket } = viewer;
    const slotId = fromDigits(frame.slot_id);
    const answer = (result: object) => socket.send({ type, ...result });
    try {
      const actor = Number.isSafeInteger(slotId) ? await this.findAsker(viewer, frame) : null;
      if (!actor) return socket.send({ type: 'error', message: MISSING });
      // All are shown soon what it has changed; the day as it was before is not shown to them again.
      answer(await work(actor, slotId as number));
    } catch (thrown) {
      answer({ success: false, message: requireRefusal(thrown), slot_id: slotId });
      // It may be known only now who looks.
      socket.inOrder(() => this.show(viewer));
    }
  }

  /** Who sent the frame: from now on the socket sees as they do. @returns null if it does not say */
  private async findAsker(viewer: Viewer, frame: Frame): Promise<Actor | null> {
    const { socket } = viewer;
    const shown = { token: textOf(frame.token), email: textOf(frame.email), password: textOf(frame.password) };
    const actor = await this.people.find(shown, clientOf({ ip: socket.address, headers: socket.request.headers }));
    if (!actor) return null;
    const isNew = viewer.isByCookie || viewer.actor?.session_id !== actor.session_id;
    Object.assign(viewer, { actor, isByCookie: false });
    if (!isNew) return actor;
    // A sign-out just before did not find it here.
    void this.recheck(actor.user_id);
    await this.cookie.tie(actor, socket.request);
    return actor;
  }

  /** Those who are signed out, or may not any more, are told so; without a number, of all people. */
  private async recheck(userId?: number): Promise<void> {
    for (const viewer of [...this.viewers.values()]) {
      const { actor, socket } = viewer;
      if (!actor || (userId !== undefined && actor.user_id !== userId)) continue;
      try {
        await this.handshake.confirmedPrincipal(actor);
      } catch (thrown) {
        // While the database is away for a moment, all stay.
        if (toDomainError(thrown).kind.status !== 401 || viewer.actor !== actor) continue;
        viewer.actor = null;
        if (viewer.isByCookie) socket.inOrder(() => this.show(viewer));
        else socket.close(CLOSE.not_signed_in);
      }
    }
  }
}

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value ? value : undefined);

/** The words of a refusal. @throws what is none: it is our fault */
function requireRefusal(thrown: unknown): string {
  if (thrown instanceof Refusal) return thrown.getStatus() === 401 ? NOT_AUTHENTICATED : thrown.message;
  if (thrown instanceof DomainError && thrown.kind.status !== 500) return thrown.message;
  throw thrown;
}
