import type { AsyncApiDocument } from './asyncapi-document.js';

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!);

/** What stands in backticks, as code. */
const text = (markdown: string): string => escape(markdown).replace(/`([^`]+)`/g, '<code>$1</code>');

const exampleOf = (payload: unknown): string => `<pre>${escape(JSON.stringify(payload, null, 2))}</pre>`;

/** Every event with who sends it, who may, and an example, for people. */
export function describeEvents({ info, channels, operations, components }: AsyncApiDocument): string {
  const messageOf = ($ref: string) => {
    const [, , channel, , key] = $ref.split('/');
    return components.messages[`${channel}.${key}`]!;
  };
  const reply = (references: { $ref: string }[]) => {
    const messages = references.map(({ $ref }) => messageOf($ref));
    const isRefusal = ({ payload }: (typeof messages)[number]) => payload.$ref?.endsWith('/RefusalDto');
    const answers = messages.filter((message) => !isRefusal(message));
    const refusals = messages.filter(isRefusal).map(({ name }) => `<code>${name}</code>`);
    const told = answers.map(
      ({ name, examples }) => `<p>Answers <code>${name}</code></p>${exampleOf(examples[0]!.payload)}`,
    );
    return `${told.join('')}<p>Refuses with ${refusals.join(' or ')}</p>`;
  };
  const sections = Object.entries(channels).map(([key, { address, description }]) => {
    const own = Object.values(operations).filter(({ channel }) => channel.$ref === `#/channels/${key}`);
    const list = (action: 'receive' | 'send') =>
      own
        .filter((operation) => operation.action === action)
        .map((operation) => {
          const { name, summary, examples } = messageOf(operation.messages[0]!.$ref);
          const roles = operation['x-roles'] ? `<p>Roles: ${operation['x-roles'].join(', ')}</p>` : '';
          const answers = operation.reply ? reply(operation.reply.messages) : '';
          return `<details><summary><code>${name}</code> ${text(summary)}</summary>${roles}${exampleOf(examples[0]!.payload)}${answers}</details>`;
        })
        .join('');
    return `<h2><code>${address}</code></h2><p>${text(description)}</p>
<h3>Clients send</h3>${list('receive')}<h3>The server sends</h3>${list('send')}`;
  });
  const introduction = info.description.split('\n\n').map((paragraph) => `<p>${text(paragraph)}</p>`);
  return `<h1>${info.title}</h1>${introduction.join('')}<p><a href="/asyncapi.json">asyncapi.json</a></p>${sections.join('')}`;
}
