import { applyDecorators, Catch, type ExceptionFilter, SetMetadata, type Type, UseFilters } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { DefaultEventsMap, Namespace, Socket } from 'socket.io';
import { AccessFor, PUBLIC } from '../actor/access.js';
import type { DeviceKind, Principal } from '../actor/actor.js';
import type { Role } from '../actor/roles.js';
import type { DomainError, ErrorClass } from '../errors/domain-error.js';

export const MESSAGE = 'spotter:message';

/** What the server knows of a socket. */
export interface SocketData {
  /** Who is signed in on it; undefined until then. */
  principal?: Principal;
}
export type AppSocket = Socket<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, SocketData>;

/** An event with the class of its payload. */
export interface EventKind {
  event: string;
  payload: Type;
}

export interface MessageOptions {
  summary: string;
  /** Who may send it: the roles of its REST twin, kinds of devices, or PUBLIC: also before signing in. */
  roles: readonly (Role | DeviceKind)[] | typeof PUBLIC;
  /** The class of what is sent, with its rules; nothing, if it is left out. */
  payload?: Type;
  /**
   * What the handler returns: sent to the socket as this event, and through the acknowledgement if one was asked for.
   */
  answer?: EventKind;
  /** What is acknowledged in place of an answer: to some, or if there is none. Then it is nothing by default. */
  acknowledged?: Type;
  /** Further events that the sender may get. */
  also?: EventKind[];
  /** The errors of this message, beside those that any message may meet, and those that follow from its roles. */
  errors?: ErrorClass[];
  /** The event that tells of a refusal; `error` by default. A device may get another one than people. */
  refusal?: string;
  deviceRefusal?: string;
  /** What a refusal carries beside code and error, and the class of the whole. */
  refused?: (error: DomainError, payload: unknown) => object;
  refusalPayload?: Type;
}

/** A message that clients send: who may, what it carries, what is answered. Its name is that of the event. */
export const Message = (event: string, options: MessageOptions): MethodDecorator =>
  applyDecorators(SubscribeMessage(event), AccessFor(options.roles), SetMetadata(MESSAGE, options));

/** Errors go on to the one place that answers them. */
@Catch()
class PassOn implements ExceptionFilter {
  catch(error: unknown): never {
    throw error;
  }
}

/** The receiving end of a namespace. */
export const Gateway = (namespace: string): ClassDecorator =>
  applyDecorators(WebSocketGateway({ namespace }), UseFilters(new PassOn()));

/** What a gateway does when a person or device has signed in: on connect, or later by a message. */
export interface Welcoming {
  onSignedIn(socket: AppSocket, principal: Principal): Promise<void> | void;
  /**
   * The same socket after a short loss of its connection: its rooms and data are as they were, its listeners are gone.
   */
  onReturned?(socket: AppSocket, principal: Principal): Promise<void> | void;
  /** Its connection has ended, or one of the above failed: it is signed in no more. Nest calls it, and so do we. */
  handleDisconnect?(socket: AppSocket): Promise<void> | void;
}

/** Lets a socket in after it has connected. The ground implements it; gateways use it. */
export abstract class SocketDoor {
  /** @throws NotSignedIn, RoleNotAllowed, PasswordChangeRequired */
  abstract authenticate(socket: AppSocket, accessToken: string): Promise<void>;
  /** @throws RoleNotAllowed */
  abstract enter(socket: AppSocket, principal: Principal): Promise<void>;
}

/** What servers have to tell each other of their sockets. */
const ANSWER_MS = 2_000;

/**
 * Those in the room, or in one of them, on all servers. One that has just died does not answer; until the others
 * notice, only ours count.
 */
export function socketsIn(namespace: Namespace, room: string | string[]) {
  const all = namespace.in(room);
  return all
    .timeout(ANSWER_MS)
    .fetchSockets()
    .catch(() => all.local.fetchSockets());
}
