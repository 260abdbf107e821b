import { optional, part, pick, table } from '../database/columns.js';
import type { Gym } from './entities/gym.entity.js';

/** The gym `g` that is joined with LEFT, as GymRefDto, or null. */
export const gymRef = (alias: string) => optional(part(pick(table<Gym>(alias), 'id', 'name')));
