import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { NotSignedIn, PasswordChangeRequired, RoleNotAllowed } from '../errors/common.errors.js';
import type { AppSocket } from '../ws/gateway.js';
import { ACCESS, type Access, type RequestWithActor } from './access.js';
import type { Principal } from './actor.js';
import { type Access as Who, ActorResolver } from './actor-resolver.js';

/** Closed by default: a request passes if its route names the role of its actor, or says that it is public. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly actors: ActorResolver,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const access = this.reflector.get<Access | undefined>(ACCESS, context.getHandler());
    if (!access) throw new RoleNotAllowed();
    if (access.roles === null) return true;
    if (context.getType() === 'ws') {
      const { principal } = context.switchToWs().getClient<AppSocket>().data;
      if (!principal) throw new NotSignedIn('Authenticate first.');
      requireRole(principal, access.roles);
      return true;
    }
    const request = context.switchToHttp().getRequest<RequestWithActor>();
    const known = this.actors.known(request);
    // Most are known: a promise would cost more than the answer.
    return known
      ? admit(request, access, known)
      : this.actors.resolve(request).then((who) => admit(request, access, who));
  }
}

/** Notes who sent the request. @throws RoleNotAllowed, PasswordChangeRequired */
function admit(request: RequestWithActor, access: Access, { actor, must_change_password }: Who): true {
  request.actor = actor;
  requireRole(actor, access.roles!);
  if (must_change_password && !access.beforePasswordChange) {
    throw new PasswordChangeRequired('Your password is temporary. POST /api/v1/auth/change-password sets your own.');
  }
  return true;
}

/** @throws RoleNotAllowed */
function requireRole(principal: Principal, roles: readonly string[]): void {
  if (!principal.is(...roles)) throw new RoleNotAllowed(`This is for ${roles.join(', ')}; you are ${principal.role}.`);
}
