/** Reads a file by RFC 4180. Throws where it is none. */
export function parseCsv(text: string): string[][] {
  const lines: string[][] = [[]];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (cell.lastIndex < text.length) {
    const start = cell.lastIndex;
    const found = cell.exec(text);
    if (!found) throw new Error(`No CSV from ${start}: ${JSON.stringify(text.slice(start, start + 100))}`);
    const [, quoted, plain, end] = found;
    lines.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain!);
    if (end !== ',') lines.push([]);
  }
  return lines.slice(0, -1);
}
