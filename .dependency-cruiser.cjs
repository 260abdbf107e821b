// Imports run one way: common <- config, database <- features <- jobs, realtime, legacy <- the composition.
const features =
  '^src/(auth|gyms|members|plans|inventory|sales|measurements|attendance|chat|courses|slots|devices|dashboard)/';
const top = '^src/(main|server|app\\.module|first-start|demo|cli)';

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'common-knows-nothing-above-it',
      severity: 'error',
      from: { path: '^src/common/' },
      to: { path: '^src/', pathNot: '^src/common/' },
    },
    {
      name: 'database-knows-no-feature',
      severity: 'error',
      from: { path: '^src/(database|config)/', pathNot: '/entities/' },
      to: { path: `${features}|^src/(realtime|legacy|jobs|operations|docs)/` },
    },
    {
      name: 'features-know-no-transport-above-them',
      severity: 'error',
      from: { path: features },
      to: { path: '^src/(realtime|legacy|jobs|docs)/' },
    },
    {
      name: 'nobody-imports-the-composition',
      severity: 'error',
      from: { path: '^src/', pathNot: top },
      to: { path: top },
    },
    {
      name: 'typeorm-is-for-the-schema',
      comment: 'Queries are SQL with a scope (docs/decisions/0004).',
      severity: 'error',
      from: { path: '^src/', pathNot: '/entities/|^src/database/(data-source|naming-strategy)' },
      to: { path: '^node_modules/typeorm/' },
    },
    {
      name: 'not-in-package-json',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-development-package-at-run-time',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'tests-stay-outside',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^(test|bench)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
