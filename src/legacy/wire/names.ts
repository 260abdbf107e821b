import { trimmed } from '../../common/http/fields.js';

/** First and last name, as clients want them that know no full name: cut at the last space, and as they come back. */
export function cutName(fullName: string): { first_name: string; last_name: string } {
  const name = trimmed(fullName);
  const cut = name.lastIndexOf(' ');
  return cut < 0
    ? { first_name: name, last_name: '' }
    : { first_name: trimmed(name.slice(0, cut)), last_name: trimmed(name.slice(cut)) };
}

/** An empty text for what is absent: for clients that cannot read null there. */
export const orEmpty = (value: string | number | null | undefined): string =>
  value === null || value === undefined ? '' : String(value);
