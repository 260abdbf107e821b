import { columns, pick, table } from '../database/columns.js';
import { MeasurementDto, SIZE_NAMES } from './dto/measurement.dto.js';
import type { Measurement } from './entities/measurement.entity.js';

const b = table<Measurement>('b');

/** Each size of `measurements b`. */
export const SIZE_COLUMNS = pick(b, ...SIZE_NAMES);

/** Of `measurements b`. */
export const MEASUREMENT_COLUMNS = columns(MeasurementDto, {
  ...pick(b, 'id', 'user_id', 'gym_id', 'measurement_date'),
  ...SIZE_COLUMNS,
  ...pick(b, 'notes', 'recorded_by_id', 'created_at', 'updated_at'),
});
