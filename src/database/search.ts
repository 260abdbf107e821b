import { join, raw, type Sql, sql } from './sql.js';

// Finding by words, in columns that hold what the SQL function searchable() makes of a text, through their trigram
// indexes.

/** Who has more in mind types another letter. */
const MOST_WORDS = 6;
/** What stands between words: blanks, punctuation, signs. LIKE's wildcards are among them. */
const BETWEEN_WORDS = /[\s\p{P}\p{S}\p{Z}]+/u;

/** The words of what was typed; none, if there is nothing to find by. */
export const wordsOf = (typed: string): string[] => typed.split(BETWEEN_WORDS).filter(Boolean).slice(0, MOST_WORDS);

/** Each word occurs in `text`, which is a searchable() one. */
export const hasWords = (text: string, words: string[]): Sql =>
  join(
    words.map((word) => sql`${raw(text)} LIKE ${occurs(word)}`),
    ' AND ',
  );

/**
 * The row `alias` of a table has each word in its search_text. As a subquery, so that PostgreSQL asks the trigram index
 * in whatever order the rows are listed.
 */
export const isFound = (alias: string, table: string, words: string[]): Sql =>
  sql`${raw(alias)}.id = ANY(ARRAY(SELECT id FROM ${raw(table)} WHERE ${hasWords('search_text', words)}))`;

/**
 * The pattern of a word: a long one may stand anywhere; one that is too short for a trigram, or whose signs are words
 * of their own (search_form() sets them apart), at the beginning of a word.
 */
function occurs(word: string): Sql {
  const form = sql`search_form(${word})`;
  // A subquery is asked once, and not for every row.
  return sql`(SELECT CASE WHEN length(f) < 3 OR f LIKE '% %' THEN '% ' ELSE '%' END || f || '%' FROM ${form} f)`;
}
