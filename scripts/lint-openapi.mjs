// Reads openapi.json and asyncapi.json as the linters of others do. An error or a warning is a failure.
import { readFileSync } from 'node:fs';
import { createConfig, lint } from '@redocly/openapi-core';
import spectralCore from '@stoplight/spectral-core';
import parsers from '@stoplight/spectral-parsers';
import rulesets from '@stoplight/spectral-rulesets';

const FILES = { 'openapi.json': rulesets.oas, 'asyncapi.json': rulesets.asyncapi };
const ERROR_AND_WARNING = new Set([0, 1]);

const config = await createConfig({
  extends: ['recommended'],
  rules: {
    // /users/search and /users/{user_id}: the router takes the fixed word first, and the paths are a contract.
    'no-ambiguous-paths': 'off',
  },
});
const found = [];
for (const [file, ruleset] of Object.entries(FILES)) {
  const spectral = new spectralCore.Spectral();
  // A contact has a name here: an address is that of who runs a server.
  const rules = file === 'asyncapi.json' ? { 'asyncapi-info-contact-properties': 'off' } : {};
  spectral.setRuleset({ extends: [ruleset], rules });
  const document = new spectralCore.Document(readFileSync(file, 'utf8'), parsers.Json, file);
  for (const { severity, code, path, message } of await spectral.run(document)) {
    if (ERROR_AND_WARNING.has(severity)) found.push(`${file} ${path.join('.')}: ${message} (Spectral: ${code})`);
  }
  for (const { ruleId, location, message } of await lint({ ref: file, config })) {
    found.push(`${file} ${location[0]?.pointer}: ${message} (Redocly: ${ruleId})`);
  }
}
for (const line of found) console.error(line);
process.exit(found.length > 0 ? 1 : 0);
