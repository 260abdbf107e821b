/** First and last name, as clients want them that know no full name: cut at the last space. */
export function cutName(fullName: string): { first_name: string; last_name: string } {
  const name = fullName.trim();
  const cut = name.lastIndexOf(' ');
  return cut < 0
    ? { first_name: name, last_name: '' }
    : { first_name: name.slice(0, cut), last_name: name.slice(cut + 1) };
}

/** An empty text for what is absent: for clients that cannot read null there. */
export const orEmpty = (value: string | number | null | undefined): string =>
  value === null || value === undefined ? '' : String(value);
