import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { AppSocket } from '../ws/gateway.js';
import type { Actor, DeviceKind } from './actor.js';
import { ROLES, type Role } from './roles.js';

export const ACCESS = 'spotter:access';

export interface Access {
  /** The roles that may; null: all callers, signed in or not. */
  readonly roles: readonly (Role | DeviceKind)[] | null;
  /** Also before a temporary password has been changed. */
  readonly beforePasswordChange: boolean;
}

/** For a route that needs no sign-in. */
export const PUBLIC = 'public';
/** For a route that everyone signed in may use. */
export const EVERYONE = ROLES;

/** Who may use a route. Every route has one, or the server does not start. Usually set by @Operation. */
export const AccessFor = (roles: readonly (Role | DeviceKind)[] | typeof PUBLIC, beforePasswordChange = false) =>
  SetMetadata<string, Access>(ACCESS, { roles: roles === PUBLIC ? null : roles, beforePasswordChange });

export interface RequestWithActor extends FastifyRequest {
  actor?: Actor;
}

/** What every log line about a request says of it. */
export const whoAsked = ({ id, actor }: RequestWithActor) => ({
  request_id: id,
  user_id: actor?.user_id,
  gym_id: actor?.gym_id,
});

/** Who sent the request or the message; undefined only where no sign-in is needed. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext) =>
  context.getType() === 'ws'
    ? context.switchToWs().getClient<AppSocket>().data.principal
    : context.switchToHttp().getRequest<RequestWithActor>().actor,
);
