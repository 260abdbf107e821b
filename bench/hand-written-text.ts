import { ask } from './hand-written-db.js';
import { FOLD, SEARCH_FORM } from './hand-written-sql.js';

/**
 * How a text compares and is searched. Of ASCII, and of letters of it with accents, this is known here; for all else
 * PostgreSQL is asked.
 */
const withoutAccents = (text: string): string => text.normalize('NFD').replace(/[\u0300-\u036f]/g, '');
const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length;
export const fold = async (text: string): Promise<string> =>
  isAscii(withoutAccents(text))
    ? text
        .replace(/^ +| +$/g, '')
        .normalize('NFC')
        .toLowerCase()
    : (await ask(FOLD, text))[0]![0]!;
export const searchForm = async (text: string): Promise<string> => {
  const plain = withoutAccents(text);
  return isAscii(plain) ? plain.toLowerCase() : (await ask(SEARCH_FORM, text))[0]![0]!;
};
