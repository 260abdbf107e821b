// Both servers must give the same answers, byte for byte: only what two answers cannot have in common is left out.
import type { Data } from './data.js';
import { type Answer, type Ask, once } from './load.js';
import type { Scenario } from './scenarios.js';
import type { Server } from './servers.js';

/** Digits that differ: a text keeps its form. */
const masked = (text: string): string =>
  text.replace(/\d+/g, (digits) => (digits.length > 4 ? '#' : '#'.repeat(digits.length)));

/** A token: what it says of the person; not when, and in which session. */
function claimsOf(token: string): string {
  const [head, claims] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
  return `${head} ${claims!.replace(/"(sid|iat|exp)":\d+/g, '"$1":#')}`;
}

function maskedValue(value: string): string {
  if (value.startsWith('"ey')) return claimsOf(value);
  // An id may have more digits than another one; a time has not.
  return value.startsWith('"') ? masked(value) : '#';
}

/** A cursor begins with a name of the list, which each server makes as it likes. */
function maskedLink(link: string | null): string | null {
  return (
    link &&
    link.replace(/(cursor=)([\w-]+)/, (_, name: string, cursor: string) => {
      const [list, ...keys] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as string[];
      return `${name}${list!.replace(/[\w-]/g, '#')} ${JSON.stringify(keys)}`;
    })
  );
}

function comparable({ status, type, link, body }: Answer, differs: string[]): string {
  let text = body.replace(/"instance":"urn:request:[^"]+"/, '"instance":#');
  if (status < 300) {
    for (const field of differs) {
      text = text.replace(
        new RegExp(`"${field}":("[^"]*"|\\d+)`),
        (_, value: string) => `"${field}":${maskedValue(value)}`,
      );
    }
  }
  return [status, type, maskedLink(link), text].join('\n');
}

/**
 * Asks both servers for the samples of a scenario, one after the other.
 * @returns the first request that got different answers, or null
 */
export async function compare(scenario: Scenario, data: Data, servers: [Server, Server]): Promise<string | null> {
  const answers: Answer[][] = [];
  const asked: Ask[][] = [];
  for (const { url, tokens } of servers) {
    await scenario.reset?.(data);
    const samples = scenario.samples?.(data.facts, tokens) ?? [0, 1, 2].map((n) => scenario.ask(data.facts, tokens, n));
    const got: Answer[] = [];
    for (const ask of samples) got.push(await once(url, ask));
    answers.push(got);
    asked.push(samples);
  }
  const [ours, theirs] = answers.map((got) => got.map((answer) => comparable(answer, scenario.differs ?? [])));
  const different = ours!.findIndex((answer, n) => answer !== theirs![n]);
  if (different < 0) return null;
  const { method, path, body } = asked[0]![different]!;
  const request = `${method} ${path} ${body ? JSON.stringify(body) : ''}`;
  const [a, b] = [ours![different]!, theirs![different]!];
  return `${request}\n${servers[0].name}: ${around(a, b)}\n${servers[1].name}: ${around(b, a)}`;
}

/** Where a text begins to be another one. */
function around(text: string, other: string): string {
  let at = 0;
  while (at < text.length && text[at] === other[at]) at++;
  return `... ${text.slice(Math.max(0, at - 100), at + 200)}`;
}
