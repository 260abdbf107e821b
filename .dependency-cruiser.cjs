// The folders from the ground up: each may import those before it in this list, and none after it. A new one takes its
// place here.
const folders = [
  ...['common', 'config', 'database', 'observability'],
  ...['gyms', 'people', 'auth', 'plans', 'inventory', 'sales', 'measurements', 'slots', 'attendance', 'chat'],
  ...['members', 'accounts', 'courses', 'chain', 'devices', 'dashboard', 'mail'],
  ...['realtime', 'jobs', 'operations', 'docs', 'legacy', 'demo', 'cli'],
];
const top = '^src/(main|server|app\\.module|first-start|key-checks|demo|cli)';

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    ...folders.map((folder, place) => ({
      name: `${folder}-imports-nothing-above-it`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: `^src/(${folders.slice(place + 1).join('|')}|-)/` },
    })),
    {
      name: 'every-folder-has-its-place',
      severity: 'error',
      from: { path: `^src/(?!(${folders.join('|')})/)[^/]+/` },
      to: {},
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
