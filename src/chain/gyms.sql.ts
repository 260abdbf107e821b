import { columns, pick, table } from '../database/columns.js';
import { GymDto } from '../gyms/dto/gym.dto.js';
import type { Gym } from '../gyms/entities/gym.entity.js';

/** Of `gyms`. */
export const GYM_COLUMNS = columns(
  GymDto,
  pick(
    table<Gym>('gyms'),
    ...(['id', 'name', 'address', 'phone_number', 'timezone', 'is_active', 'allow_reentry'] as const),
    ...(['created_at', 'updated_at'] as const),
  ),
);
