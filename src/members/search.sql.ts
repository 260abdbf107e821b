import { type Columns, empty, everyGym, type ScopedSql, type Sql, sql } from '../database/sql.js';
import { digitsOf, isCalled } from '../people/search.sql.js';

/** So many matches are ranked; who has more in mind types another letter. */
export const CANDIDATES = 200;

/**
 * The people `u` in whose name, email, username, document or phone each typed word occurs, as rows of id and place: the
 * best match has the lowest.
 * @param scope who may be found
 * @param exact another condition that names one person
 */
export function bestMatches(scope: ScopedSql, typed: string, words: string[], exact?: Sql): ScopedSql {
  const people = sql`FROM users u WHERE ${scope} AND u.deleted_at IS NULL`;
  const inOrder = sql`(SELECT search_form(${words.join(' ')}))`;
  return sql`
    SELECT id, min(place) AS place FROM (
      SELECT u.id, 0 AS place ${people} AND fold(${typed}) IN (fold(u.document_id), fold(u.email), fold(u.username))
      ${exact ? sql`UNION ALL SELECT u.id, 0 ${people} AND ${exact}` : empty}
      UNION ALL
      (SELECT u.id,
        CASE
          WHEN u.phone_digits = ${digitsOf(typed)} THEN 1
          WHEN u.search_text LIKE ' ' || ${inOrder} || '%' THEN 2
          WHEN u.search_text LIKE '% ' || ${inOrder} || '%' THEN 3
          ELSE 4
        END
      ${people} AND ${isCalled(typed, words)} LIMIT ${CANDIDATES})) matches
    GROUP BY id`;
}

/** The first of those found, by place and name. @param found rows of id and place */
export const firstOf = <Row>(count: number, found: ScopedSql, columns: Columns<Row>, shownWith: Sql) => everyGym`
  WITH found AS MATERIALIZED (${found})
  SELECT ${columns} FROM (
    SELECT u.*, f.place FROM found f JOIN users u ON u.id = f.id
    ORDER BY f.place, u.full_name, u.id LIMIT ${count}) u
  ${shownWith} ORDER BY u.place, u.full_name, u.id`;
