/** What a rule wants, in plain English, where it does not say so itself. By the name of class-validator. */
const WORDS: Record<string, (...constraints: never[]) => string> = {
  isBoolean: () => 'must be true or false',
  isInt: () => 'must be a whole number',
  isString: () => 'must be a text',
  isObject: () => 'must be an object',
  isEmail: () => 'must be an email address',
  isIn: (values: unknown[]) =>
    values.length === 1 ? `must be ${String(values[0])}` : `must be one of ${values.join(', ')}`,
  min: (least: number) => `must be at least ${least}`,
  max: (most: number) => `must be at most ${most}`,
  isLength: (least: number, most?: number) =>
    most === undefined ? atLeast(least) : least === 0 ? atMost(most) : `must have ${least} to ${most} characters`,
  minLength: (least: number) => atLeast(least),
  maxLength: (most: number) => atMost(most),
  isNotEmpty: () => 'must not be empty',
  isArray: () => 'must be a list',
  arrayMaxSize: (most: number) => `must have at most ${most} items`,
  nestedValidation: () => 'must be an object, or a list of objects',
};

const atLeast = (least: number) => `must have at least ${least} character${least === 1 ? '' : 's'}`;
const atMost = (most: number) => `must have at most ${most} characters`;

interface Rule {
  name?: string;
  type: string;
  each: boolean;
  constraints?: unknown[];
}

/** The words for a rule; undefined if it has its own. */
export function wordsOf({ name, type, each, constraints = [] }: Rule): string | undefined {
  const words = WORDS[name ?? type]?.(...(constraints as never[]));
  return words !== undefined && each && type !== 'nestedValidation' ? words.replace(/^must/, 'must each') : words;
}
