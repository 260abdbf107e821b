import { Get, Patch } from '@nestjs/common';
import { CurrentActor } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { MANAGERS, type Role, STAFF } from '../../common/actor/roles.js';
import { RoleNotAllowed } from '../../common/errors/common.errors.js';
import { Body, Query } from '../../common/http/validation.js';
import { MembersService } from '../../members/members.service.js';
import { LegacyController, Wire } from '../wire/route.js';
import { allOf } from './branches.js';
import { BranchQuery, Done, DoneList, LanguageBody, LanguageWire, PeopleQuery, PersonWire } from './flutter-app.dto.js';
import { done, personOf } from './flutter-app.wire.js';

@LegacyController('flutter-app', 'api')
export class FlutterStaffController {
  constructor(private readonly members: MembersService) {}

  @Get('staff')
  @Wire({ summary: 'The staff, by name', roles: MANAGERS, answer: DoneList(PersonWire, false) })
  async list(@CurrentActor() actor: Actor, @Query() { branch_id }: BranchQuery) {
    return done({ items: await this.people(actor, branch_id) });
  }

  @Get(['users', 'users/employees', 'users/staff'])
  @Wire({
    summary: 'The same as a bare list; all staff may see the trainers',
    roles: STAFF,
    answer: Done([PersonWire]),
  })
  async listBare(@CurrentActor() actor: Actor, @Query() { branch_id, role }: PeopleQuery) {
    if (!actor.is(...MANAGERS) && role !== 'trainer') throw new RoleNotAllowed('You may list the trainers alone.');
    if (role === undefined) return done(await this.people(actor, branch_id));
    const known = STAFF.find((one) => one === role);
    return done(known ? await this.people(actor, branch_id, known) : []);
  }

  @Patch('auth/language')
  @Wire({ summary: 'The language of what one is written', roles: STAFF, answer: Done(LanguageWire) })
  async setLanguage(@CurrentActor() actor: Actor, @Body() { preferred_language }: LanguageBody) {
    const { language } = await this.members.update(actor, actor.user_id, { language: preferred_language });
    return done({ preferred_language: language }, 'Language updated successfully');
  }

  /** Without admins. */
  private async people(actor: Actor, gymId?: number, role?: Role): Promise<PersonWire[]> {
    const people = await allOf((query) => this.members.list(actor, { ...query, gym_id: gymId, role }, true));
    return people.filter((person) => person.role !== 'admin').map(personOf);
  }
}
