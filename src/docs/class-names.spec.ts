import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';

const source = path.resolve('src');

// Two DTOs of one name would be one schema in the documents, and clients would be made from the wrong one.
it('no two classes have one name', () => {
  const names = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap(
      (file) => readFileSync(path.join(source, file), 'utf8').match(/(?<=^(export )?(abstract )?class )\w+/gm) ?? [],
    );
  expect(names.length).toBeGreaterThan(100);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});
