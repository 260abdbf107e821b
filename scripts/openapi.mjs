// Writes openapi.json and asyncapi.json from the code; with --check only says whether they are up to date. `npm run build` first.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { PluginMetadataGenerator } from '@nestjs/cli/lib/compiler/plugins/plugin-metadata-generator.js';
import { ReadonlyVisitor } from '@nestjs/swagger/plugin';
import { format } from 'prettier';
import { transform } from '@swc/core';

// What types and comments say of DTOs is not in the compiled code: Nest's plugin reads it from the sources.
new PluginMetadataGenerator().generate({
  visitors: [
    new ReadonlyVisitor({
      introspectComments: true,
      classValidatorShim: true,
      esmCompatible: true,
      dtoFileNameSuffix: ['.dto.ts', 'list.ts', 'problem.ts'],
      controllerFileNameSuffix: ['.controller.ts'],
      pathToSource: 'src',
    }),
  ],
  outputDir: 'dist/src',
  filename: 'metadata.ts',
  tsconfigPath: 'tsconfig.json',
  printDiagnostics: false,
});
const { code } = await transform(readFileSync('dist/src/metadata.ts', 'utf8'), {
  jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
});
writeFileSync('dist/src/metadata.js', code);

const { default: metadata } = await import('../dist/src/metadata.js');
const { SwaggerModule } = await import('@nestjs/swagger');
const { FEATURES } = await import('../dist/src/app.module.js');
const { Config, LEGACY_FAMILIES } = await import('../dist/src/config/config.js');
const { modulesOf } = await import('../dist/src/legacy/legacy.module.js');
const { createApp } = await import('../dist/src/server.js');
const { createLegacyOpenApi, createOpenApi } = await import('../dist/src/docs/openapi.js');
const { describeRules } = await import('../dist/src/docs/described-rules.js');
const { createAsyncApi } = await import('../dist/src/docs/asyncapi.js');

/** What the comment of its class says of a schema. */
function describeClasses(schemas) {
  for (const [name, schema] of Object.entries(schemas)) {
    const comment = comments.get(name);
    if (comment) schemas[name] = { description: comment, ...schema };
  }
}
const comments = new Map();
for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
  if (!/(\.dto|\/problem)\.ts$/.test(file)) continue;
  for (const [, text, name] of readFileSync(`src/${file}`, 'utf8').matchAll(
    /\n\/\*\*((?:(?!\*\/)[^])*)\*\/\nexport class (\w+)/g,
  )) {
    comments.set(name, text.replace(/\s*\n \* ?/g, ' ').trim());
  }
}

const FILES = ['openapi.json', 'asyncapi.json', ...LEGACY_FAMILIES.map((name) => `docs/legacy/${name}.openapi.json`)];
for (const file of FILES) if (!readFileSync(file, { encoding: 'utf8', flag: 'a+' })) writeFileSync(file, '{}');

const config = Object.assign(new Config(), {
  DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  JWT_SECRET: 'x'.repeat(32),
  ENCRYPTION_KEYS: `k:${Buffer.alloc(32).toString('base64')}`,
  FINGERPRINT_KEYS: `k:${Buffer.alloc(32).toString('base64')}`,
  LOG_LEVEL: 'silent',
});
const app = await createApp(config);
await SwaggerModule.loadPluginMetadata(metadata);
describeRules();
const documents = [
  createOpenApi(app, FEATURES),
  await createAsyncApi(app),
  ...LEGACY_FAMILIES.map((name) => createLegacyOpenApi(app, name, modulesOf([name]))),
];
await app.close();
for (const { components } of documents) describeClasses(components.schemas);

for (const [index, file] of FILES.entries()) {
  const text = await format(JSON.stringify(documents[index]), { parser: 'json', printWidth: 120 });
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${file} is not what the code says: run \`npm run openapi\` and read the difference.`);
    process.exit(1);
  }
}
process.exit(0);
