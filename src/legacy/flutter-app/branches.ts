import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor/actor.js';
import type { ListQuery, Page } from '../../common/http/list.js';
import { allPages } from '../../common/http/while-read.js';
import { GymsService } from '../../chain/gyms.service.js';
import type { BranchDto } from '../../gyms/dto/gym.dto.js';
import type { Gyms } from './flutter-app.wire.js';

/** All of a list, which is never long. */
export async function allOf<Item>(read: (query: ListQuery) => Promise<Page<Item>>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of allPages(read)) items.push(...page);
  return items;
}

/** The gyms, which these apps call branches. */
@Injectable()
export class Branches {
  constructor(private readonly gyms: GymsService) {}

  /** All of them by their id: for names and clocks, which everyone may know. */
  async known(actor: Actor): Promise<Gyms> {
    const gyms = await allOf((query) => this.gyms.list(actor, query, false));
    return new Map(gyms.map((gym) => [gym.id, gym]));
  }

  /** Those that the actor works in, by name. @throws OtherGym */
  list(actor: Actor, gymId?: number): Promise<BranchDto[]> {
    return allOf((query) => this.gyms.listBranches(actor, { ...query, gym_id: gymId }));
  }
}
