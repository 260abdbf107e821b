import type { OpenAPIObject } from '@nestjs/swagger';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Response = Extract<Operation['responses'][string], { description: string }>;

/** What these are called, where the name of the class is no word for it. */
const NOUNS: Record<string, string> = {
  SignedInDto: 'pair of tokens',
  AccountViewDto: 'account',
  UserDto: 'person',
  AccessDto: 'answer of the door',
  ReadDto: 'place up to which it is read',
  DeviceWithKeyDto: 'device with its key',
  LowStockDto: 'product',
  DashboardDto: 'numbers of the gym',
  RealtimeHealthDto: 'state of the sockets',
  SerialOutputDto: 'output of the board',
};

const nounOf = ($ref: string): string => {
  const name = $ref.split('/').at(-1)!;
  const words = name.replace(/Dto$/, '').replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`);
  return NOUNS[name] ?? words.toLowerCase();
};

const several = (noun: string): string =>
  noun === 'person'
    ? 'people'
    : /(ch|s)$/.test(noun)
      ? `${noun}es`
      : /[^aeiou]y$/.test(noun)
        ? noun.replace(/y$/, 'ies')
        : `${noun}s`;

/** What an answer of success holds, in a sentence. */
export function sentenceOf(method: string, status: number, { content, headers }: Response): string {
  const [type, media] = Object.entries(content ?? {})[0] ?? [];
  if (!media) return status === 205 ? 'It is done; forget the tokens.' : 'It is done; there is nothing to tell.';
  if (type === 'text/csv') return 'A CSV file, with the names of its columns in the first line.';
  if (type!.startsWith('image/')) return 'The picture.';
  if (type === '*/*') return 'The file.';
  const schema = media.schema as { $ref?: string; items?: { $ref: string } };
  if (schema.items) {
    const nouns = several(nounOf(schema.items.$ref));
    return headers && 'Link' in headers
      ? `A page of the ${nouns}; an empty list if there are none.`
      : `The ${nouns}; an empty list if there are none.`;
  }
  const noun = nounOf(schema.$ref!);
  if (method === 'delete') return `The ${noun}, which is kept because it has a history.`;
  if (status === 201) return `The new ${noun}.`;
  return method === 'put' || method === 'patch'
    ? `The ${noun} as ${noun.endsWith('s') ? 'they are' : 'it is'} now.`
    : `The ${noun}.`;
}
