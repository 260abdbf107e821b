import { StreamableFile } from '@nestjs/common';
import { stringify } from 'csv-stringify/sync';
import { sendWhileRead } from './while-read.js';

/**
 * Where a formula would begin inside a text: many spreadsheets take a semicolon or a tab for the end of a cell, and a
 * line break for that of a line. Quotes before it are taken off.
 */
const FORMULA_INSIDE = /([;\t\r\n])(?="*[=+\-@＝＋－＠])/g;

/**
 * RFC 4180. The mark at the beginning (BOM) is how Excel knows UTF-8. A text that a spreadsheet would take for a
 * formula gets a ' before it, also where one begins inside of it; a number of ours stays one.
 */
const FORMAT = {
  record_delimiter: 'windows',
  quote_record_delimiter: true,
  escape_formulas: true,
  cast: {
    string: (text: string) => text.replace(FORMULA_INSIDE, "$1'"),
    boolean: String,
    date: (moment: Date) => moment.toISOString(),
  },
} as const;

/** A file to be stored, sent while its pages are read: see `sendWhileRead`. */
export async function csvFile<Row extends object>(
  name: string,
  columns: readonly (keyof Row & string)[],
  pages: Iterator<Row[]> | AsyncIterator<Row[]>,
): Promise<StreamableFile> {
  const head = stringify([], { ...FORMAT, columns: [...columns], header: true, bom: true });
  const lines = (page: Row[]) => (page.length > 0 ? stringify(page, { ...FORMAT, columns: [...columns] }) : '');
  const disposition = `attachment; filename="${name}"`;
  return new StreamableFile(await sendWhileRead(pages, lines, head), { type: CSV_TYPE, disposition });
}

export const CSV = 'text/csv';
const CSV_TYPE = `${CSV}; charset=utf-8`;
