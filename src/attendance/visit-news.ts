import type { Queryable } from '../database/database.js';
import { everyGym } from '../database/sql.js';
import { SHOWN_WITH, VISIT_COLUMNS } from './attendance.sql.js';
import type { VisitDto } from './dto/visit.dto.js';

/** What the gym's screens are told of a visit as it is now; null: it was deleted. */
export async function newsOfVisit(db: Queryable, id: number): Promise<[string, VisitDto] | null> {
  const [visit] = await db.query(everyGym`SELECT ${VISIT_COLUMNS} FROM attendance v ${SHOWN_WITH} WHERE v.id = ${id}`);
  if (!visit) return null;
  return [visit.check_out_time === null ? 'member_checked_in' : 'member_checked_out', visit];
}
