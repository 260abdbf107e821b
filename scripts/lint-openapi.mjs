// Reads openapi.json, asyncapi.json and the documents for old clients as the linters of others do. An error or a warning is a failure.
import { readdirSync, readFileSync } from 'node:fs';
import { createConfig, lint } from '@redocly/openapi-core';
import spectralCore from '@stoplight/spectral-core';
import parsers from '@stoplight/spectral-parsers';
import rulesets from '@stoplight/spectral-rulesets';

const LEGACY = readdirSync('docs/legacy').filter((name) => name.endsWith('.json'));
const FILES = {
  'openapi.json': rulesets.oas,
  'asyncapi.json': rulesets.asyncapi,
  ...Object.fromEntries(LEGACY.map((name) => [`docs/legacy/${name}`, rulesets.oas])),
};
const ERROR_AND_WARNING = new Set([0, 1]);

// /users/search and /users/{user_id}: the router takes the fixed word first, and the paths are a contract.
const rules = { 'no-ambiguous-paths': 'off' };
const config = await createConfig({ extends: ['recommended'], rules });
// Of what old clients know already a summary is enough; and all of a family's routes may be open.
const brief = await createConfig({
  extends: ['recommended'],
  rules: { ...rules, 'tag-description': 'off', 'no-unused-components': 'off' },
});
const found = [];
for (const [file, ruleset] of Object.entries(FILES)) {
  const spectral = new spectralCore.Spectral();
  const isLegacy = file.startsWith('docs/legacy/');
  // A contact has a name here: an address is that of who runs a server.
  const without = file === 'asyncapi.json' ? 'asyncapi-info-contact-properties' : isLegacy && 'operation-description';
  spectral.setRuleset({ extends: [ruleset], rules: without ? { [without]: 'off' } : {} });
  const document = new spectralCore.Document(readFileSync(file, 'utf8'), parsers.Json, file);
  for (const { severity, code, path, message } of await spectral.run(document)) {
    if (ERROR_AND_WARNING.has(severity)) found.push(`${file} ${path.join('.')}: ${message} (Spectral: ${code})`);
  }
  for (const { ruleId, location, message } of await lint({ ref: file, config: isLegacy ? brief : config })) {
    found.push(`${file} ${location[0]?.pointer}: ${message} (Redocly: ${ruleId})`);
  }
}
for (const line of found) console.error(line);
process.exit(found.length > 0 ? 1 : 0);
