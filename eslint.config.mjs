// oxlint does the linting. This states the rules that it does not know, above all how things are called.
// A data field has one name from column to client, in snake_case; everything else follows TypeScript's habits.
import plugin from '@typescript-eslint/eslint-plugin';
import parser from '@typescript-eslint/parser';

export default [
  { ignores: ['dist/**', '.dist-*/**'] },
  {
    files: ['src/**/*.ts', 'migrations/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    languageOptions: { parser },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { '@typescript-eslint': plugin },
    rules: {
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'default', format: ['camelCase'], leadingUnderscore: 'allow' },
        {
          selector: ['variable', 'function', 'import'],
          format: ['camelCase', 'UPPER_CASE', 'PascalCase'],
          leadingUnderscore: 'allow',
        },
        // const { gym_id } = row; and function f({ user_id }) take a data field by its name.
        { selector: ['variable', 'parameter'], modifiers: ['destructured'], format: null },
        { selector: 'typeLike', format: ['PascalCase'] },
        // Services hold camelCase; data is snake_case; the environment and headers have their own.
        { selector: ['classProperty', 'typeProperty', 'accessor'], format: ['camelCase', 'snake_case', 'UPPER_CASE'] },
        { selector: 'parameterProperty', format: ['camelCase', 'snake_case'] },
        // Libraries name their options as they like: { Body: ... }, 'x-roles'.
        { selector: 'typeProperty', filter: { regex: '^[A-Z][a-z]+$', match: true }, format: ['PascalCase'] },
        { selector: 'typeProperty', modifiers: ['requiresQuotes'], format: null },
        { selector: ['objectLiteralProperty', 'objectLiteralMethod'], format: null },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    languageOptions: { parser },
    rules: {
      // Prettier breaks code; this is for SQL and comments.
      'max-len': ['error', { code: 120, ignoreStrings: true }],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'Decorator CallExpression[callee.name=/^(Param|Headers|RawBody)$/][arguments.length=0]',
          message:
            'It checks nothing. Ask for one value by its name, or use Body or Query of common/http/validation.ts.',
        },
      ],
    },
  },
];
