import { applyDecorators, Get, type Type } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import type { Role } from '../common/actor/roles.js';
import type { Page } from '../common/http/list.js';
import { Operation } from '../common/http/operation.js';
import type { Queryable } from '../database/database.js';
import { UserNotFound } from './people.errors.js';
import { requirePerson } from './people.js';

// What a member has (visits, plans, sizes), as a list of its own in the controller and in the service of each.

/** `GET .../user/{user_id}`: all that one member has of something, a page at a time. */
export const GetAllOfMember = (summary: string, roles: readonly Role[], answer: Type) =>
  applyDecorators(
    Get('user/:user_id'),
    Operation({ summary, roles, answer: [answer], list: true, errors: [UserNotFound] }),
  );

/** Its page. An empty one asks whether there is such a person. @throws UserNotFound */
export async function pageOfMember<Row>(db: Queryable, actor: Actor, userId: number, asked: Promise<Page<Row>>) {
  const page = await asked;
  if (page.items.length === 0) await requirePerson(db, actor, userId);
  return page;
}
