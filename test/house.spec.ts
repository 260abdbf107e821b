import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';

// What no linter knows of the house.

const contents = (folder: string, ending: string): [name: string, text: string][] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => [path.join(folder, file), readFileSync(path.join(folder, file), 'utf8')]);

// Two DTOs of one name would be one schema in the documents, and clients would be made from the wrong one.
it('no two classes have one name', () => {
  const names = contents('src', '.ts').flatMap(
    ([, text]) => text.match(/(?<=^(export )?(abstract )?class )\w+/gm) ?? [],
  );
  expect(names.length).toBeGreaterThan(100);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

// The plugin that describes them passes over others, so that their fields would be in no document.
it('DTOs are exported', () => {
  const files = contents('src', '.dto.ts');
  expect(files.length).toBeGreaterThan(30);
  expect(files.flatMap(([, text]) => text.match(/^(abstract )?class \w+/gm) ?? [])).toEqual([]);
});

// Many who read this speak English as their second or third language.
it('no word is harder to read than the member, the caller, a person, again', () => {
  // Not written out, or this file would be one of them.
  const hard = /\b(who(m|)[e]ver|(some|every)[b]ody|[a]new)\b/i;
  const roots = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'];
  const files = [
    ...roots.map((file) => [file, readFileSync(file, 'utf8')] as const),
    ...['src', 'test'].flatMap((folder) => contents(folder, '.ts')),
    ...contents('docs', '.md'),
  ];
  expect(files.length).toBeGreaterThan(200);
  expect(files.filter(([, text]) => hard.test(text)).map(([file]) => file)).toEqual([]);
});
