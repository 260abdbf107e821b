import type { AsyncApiDocument, EventMessage, EventOperation, Ref } from './asyncapi-document.js';

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!);

/** What stands in backticks, as code. */
const text = (markdown: string): string => escape(markdown).replace(/`([^`]+)`/g, '<code>$1</code>');

const showExample = (payload: unknown): string => `<pre>${escape(JSON.stringify(payload, null, 2))}</pre>`;

/** Every event with who sends it, who may, and an example, for people. */
export function describeEvents(document: AsyncApiDocument): string {
  const { title, description } = document.info;
  const introduction = description.split('\n\n').map((paragraph) => `<p>${text(paragraph)}</p>`);
  const channels = Object.keys(document.channels).map((key) => describeChannel(document, key));
  const link = '<p><a href="/asyncapi.json">asyncapi.json</a></p>';
  return `<h1>${title}</h1>${introduction.join('')}${link}${channels.join('')}`;
}

function describeChannel(document: AsyncApiDocument, key: string): string {
  const { address, description } = document.channels[key]!;
  const operations = Object.values(document.operations).filter(({ channel }) => channel.$ref === `#/channels/${key}`);
  const describeAll = (action: EventOperation['action']) =>
    operations
      .filter((operation) => operation.action === action)
      .map((operation) => describeOperation(document, operation))
      .join('');
  return `<h2><code>${address}</code></h2><p>${text(description)}</p>
<h3>Clients send</h3>${describeAll('receive')}<h3>The server sends</h3>${describeAll('send')}`;
}

function describeOperation(document: AsyncApiDocument, operation: EventOperation): string {
  const { name, summary, examples } = messageOf(document, operation.messages[0]!);
  const roles = operation['x-roles'] ? `<p>Roles: ${operation['x-roles'].join(', ')}</p>` : '';
  const replies = operation.reply ? describeReplies(document, operation.reply.messages) : '';
  const example = showExample(examples[0]!.payload);
  return `<details><summary><code>${name}</code> ${text(summary)}</summary>${roles}${example}${replies}</details>`;
}

const isRefusal = ({ payload }: EventMessage): boolean => payload.$ref?.endsWith('/RefusalDto') ?? false;

function describeReplies(document: AsyncApiDocument, references: Ref[]): string {
  const messages = references.map((reference) => messageOf(document, reference));
  const answers = messages
    .filter((message) => !isRefusal(message))
    .map(({ name, examples }) => `<p>Answers <code>${name}</code></p>${showExample(examples[0]!.payload)}`);
  const refusals = messages.filter(isRefusal).map(({ name }) => `<code>${name}</code>`);
  return `${answers.join('')}<p>Refuses with ${refusals.join(' or ')}</p>`;
}

/** The message that a reference like `#/channels/checkins/messages/from_client.check_in` names. */
function messageOf({ components }: AsyncApiDocument, { $ref }: Ref): EventMessage {
  const [, , channel, , key] = $ref.split('/');
  return components.messages[`${channel}.${key}`]!;
}
