import {
  ACKNOWLEDGEMENT,
  type AsyncApiDocument,
  type EventMessage,
  type EventOperation,
  type Ref,
  type Schema,
} from './asyncapi-document.js';
import type { Sequence } from './sequences.js';

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!);

/** What stands in backticks, as code. */
const text = (markdown: string): string => escape(markdown).replace(/`([^`]+)`/g, '<code>$1</code>');

const showExample = (payload: unknown): string => `<pre>${escape(JSON.stringify(payload, null, 2))}</pre>`;

/** Every event with who sends it, who may, its fields and an example, for people. */
export function describeEvents(document: AsyncApiDocument): string {
  const { title, description } = document.info;
  const introduction = description.split('\n\n').map((paragraph) => `<p>${text(paragraph)}</p>`);
  const servers = Object.values(document.servers).map(
    ({ protocol, host, pathname }) => `<p>Server: <code>${escape(`${protocol}://${host}${pathname}`)}</code></p>`,
  );
  const channels = Object.keys(document.channels).map((key) => describeChannel(document, key));
  const link = '<p><a href="/asyncapi.json">asyncapi.json</a></p>';
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) => `<h3 id="${name}"><code>${name}</code></h3>${describeSchema(schema)}`,
  );
  const all = [...introduction, ...servers, link, ...channels, '<h2>What they hold</h2>', ...schemas];
  return `<h1>${title}</h1>${all.join('')}`;
}

function describeChannel(document: AsyncApiDocument, key: string): string {
  const { address, description, 'x-sequences': sequences = [] } = document.channels[key]!;
  const operations = Object.values(document.operations).filter(({ channel }) => channel.$ref === `#/channels/${key}`);
  const describeAll = (action: EventOperation['action']) =>
    operations
      .filter((operation) => operation.action === action)
      .map((operation) => describeOperation(document, operation))
      .join('');
  return `<h2><code>${address}</code></h2><p>${text(description)}</p>${sequences.map(describeSequence).join('')}
<h3>Clients send</h3>${describeAll('receive')}<h3>The server sends</h3>${describeAll('send')}`;
}

function describeSequence({ title, description, steps }: Sequence): string {
  const items = steps.map(({ who, direction, event, meaning }) => {
    const way = direction === 'from_client' ? `${who} → server` : `server → ${who}`;
    return `<li>${way}: <code>${event}</code> ${text(meaning)}</li>`;
  });
  return `<h3>${title}</h3><p>${text(description)}</p><ol>${items.join('')}</ol>`;
}

function describeOperation(document: AsyncApiDocument, operation: EventOperation): string {
  const message = messageOf(document, operation.messages[0]!);
  const roles = operation['x-roles'] ? `<p>Roles: ${operation['x-roles'].join(', ')}</p>` : '';
  const links = operation['x-codes']?.map((code) => `<a href="/errors#${code}">${code}</a>`);
  const refusals = links ? `<p>Codes of refusals: ${links.join(', ')}</p>` : '';
  const replies = operation.reply ? describeReplies(document, operation.reply.messages) : '';
  const summary = `<summary><code>${message.name}</code> ${text(message.summary)}</summary>`;
  return `<details>${summary}${roles}${describePayload(document, message)}${replies}${refusals}</details>`;
}

const isRefusal = ({ payload }: EventMessage): boolean => payload.$ref?.endsWith('RefusalDto') ?? false;

function describeReplies(document: AsyncApiDocument, references: Ref[]): string {
  const messages = references.map((reference) => messageOf(document, reference));
  return messages
    .toSorted((a, b) => Number(isRefusal(a)) - Number(isRefusal(b)))
    .map((message) => {
      const verb = isRefusal(message) ? 'Refuses with' : 'Answers';
      const heading =
        message.name === ACKNOWLEDGEMENT ? 'Is acknowledged with' : `${verb} <code>${message.name}</code>`;
      return `<p>${heading}</p>${describePayload(document, message)}`;
    })
    .join('');
}

function describePayload({ components }: AsyncApiDocument, { payload, examples }: EventMessage): string {
  const schema = payload.$ref ? components.schemas[nameOf(payload.$ref)]! : payload;
  return `${describeSchema(schema)}${showExample(examples[0]!.payload)}`;
}

/** What it is, and its fields with their types and meaning. */
function describeSchema({ description, properties = {}, required = [] }: Schema): string {
  const rows = Object.entries(properties).map(([name, field]) => {
    const optional = required.includes(name) ? '' : ', optional';
    return `<tr><td><code>${name}</code></td><td>${typeOf(field)}${optional}</td><td>${meaningOf(field)}</td></tr>`;
  });
  const meaning = description ? `<p>${text(description)}</p>` : '';
  if (rows.length === 0) return `${meaning}<p>It has no fields.</p>`;
  return `${meaning}<table><tr><th>field</th><th>type</th><th>meaning</th></tr>${rows.join('')}</table>`;
}

const nameOf = ($ref: string): string => $ref.split('/').at(-1)!;

/** What a field holds, with a link to where it is described. */
function typeOf({ $ref, allOf, oneOf, type, format, items }: Schema): string {
  if ($ref) return `<a href="#${nameOf($ref)}">${nameOf($ref)}</a>`;
  const parts = allOf ?? oneOf;
  if (parts) return parts.map(typeOf).join(' or ');
  const types = (Array.isArray(type) ? type : [type ?? 'object']).map((one) => {
    if (one === 'array' && items) return `list of ${typeOf(items)}`;
    return one === 'string' && format ? format : one;
  });
  return types.join(' or ');
}

const range = (least: number | undefined, most: number | undefined, unit: string) =>
  most === undefined ? '' : ` ${least ?? 0} to ${most}${unit}.`;

function meaningOf({ description, enum: values, minimum, maximum, minLength, maxLength, examples }: Schema): string {
  const parts = [
    text(description ?? ''),
    values ? ` One of ${values.map((value) => `<code>${escape(String(value))}</code>`).join(', ')}.` : '',
    range(minimum, maximum, ''),
    range(minLength, maxLength, ' characters'),
    examples && !description ? ` Such as <code>${escape(JSON.stringify(examples[0]))}</code>.` : '',
  ];
  return parts.join('').trim();
}

/** The message that a reference like `#/channels/checkins/messages/from_client.check_in` names. */
function messageOf({ components }: AsyncApiDocument, { $ref }: Ref): EventMessage {
  const [, , channel, , key] = $ref.split('/');
  return components.messages[`${channel}.${key}`]!;
}
