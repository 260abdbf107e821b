import { writeFile } from 'node:fs/promises';
import type pg from 'pg';
import type { Storage } from '../chat/storage/storage.js';
import { clock, DAY, HOUR, MINUTE } from './demo-clock.js';
import type { Demo, Member } from './demo-people.js';
import { Random } from './random.js';
import { insert, type Row } from './rows.js';

type Line = [by: 'member' | 'staff', text: string];

const TALKS: Line[][] = [
  [
    ['member', 'Hi! Is the squat rack free on weekday mornings?'],
    ['staff', 'Mostly until nine. After that it gets busy.'],
    ['member', 'Then I come at eight tomorrow. Thank you!'],
    ['staff', 'See you there 💪'],
  ],
  [
    ['staff', 'How is the knee after yesterday?'],
    ['member', 'Much better. A bit stiff in the morning.'],
    ['staff', 'Good. We leave out the jumps this week.'],
  ],
  [
    ['member', 'I cannot make it today, can we move to Thursday?'],
    ['staff', 'Thursday at six is free. Book the hour in the app, please.'],
    ['member', 'Done!'],
  ],
  [
    ['staff', 'Your plan ends next week. Shall I renew it at the desk?'],
    ['member', 'Yes please, the same one.'],
  ],
  [['member', 'Did I leave a grey towel in the changing room?']],
  [
    ['member', 'What should I eat before an early session?'],
    ['staff', 'A banana and a glass of water are enough. Breakfast afterwards.'],
    ['member', 'And coffee?'],
    ['staff', 'Coffee is fine ☕'],
    ['member', 'Best trainer.'],
  ],
];

/** What the examples of the docs are about: the first conversation, its first message, the first attachment. */
const OF_THE_DOCS: [by: 'admin' | 'manager', text: string][] = [
  ['admin', 'See you at six?'],
  ['manager', 'Yes. Here is the plan for the new trainers.'],
  ['manager', 'Tell me what you think.'],
];
/** The second conversation, which the docs leave. */
const SECOND_OF_THE_DOCS: [by: 'admin' | 'desk', text: string][] = [
  ['desk', 'The new towels are here.'],
  ['admin', 'Good, put them next to the lockers.'],
];
const PLAN_KEY = 'demo-plan';

interface Talk {
  people: [Row, Row];
  lines: { by: Row; text: string }[];
  /** On the gym's clock. */
  began: number;
  /** The one who wrote last waits for an answer. */
  isUnread: boolean;
}

/** Members talk with trainers and the desk; in the first gym the admin with the manager. */
export async function addChat(client: pg.Client, demo: Demo, members: Member[], storage: Storage): Promise<void> {
  const random = new Random(77 + demo.place);
  const talks: Talk[] = [];
  if (demo.place === 0) talks.push(...(await talksOfTheDocs(client, demo)));
  for (const [index, member] of members.filter((_, position) => position % 3 === 0).entries()) {
    const staff = random.pick([...demo.trainers, demo.desk[0]!]);
    const lines = TALKS[index % TALKS.length]!.map(([by, text]) => ({ by: by === 'staff' ? staff : member, text }));
    const began = demo.now - random.int(1, 40) * DAY + random.int(8, 18) * HOUR;
    talks.push({
      people: [staff, member],
      lines,
      began: Math.min(began, demo.now - 2 * HOUR),
      isUnread: index % 4 === 0,
    });
  }
  const messages = await addTalks(client, talks, random);
  if (demo.place === 0) await addPlan(client, demo, messages[1]!, storage);
}

async function talksOfTheDocs(client: pg.Client, { manager, desk, now }: Demo): Promise<Talk[]> {
  const { rows } = await client.query<{ id: number }>(
    `SELECT id FROM users WHERE role = 'admin' AND deleted_at IS NULL ORDER BY id LIMIT 1`,
  );
  const admin: Row = rows[0]!;
  const lines = OF_THE_DOCS.map(([by, text]) => ({ by: by === 'admin' ? admin : manager, text }));
  const others = SECOND_OF_THE_DOCS.map(([by, text]) => ({ by: by === 'admin' ? admin : desk[0]!, text }));
  return [
    { people: [admin, manager], lines, began: now - 3 * HOUR, isUnread: true },
    { people: [admin, desk[0]!], lines: others, began: now - 4 * HOUR, isUnread: false },
  ];
}

/** @returns all messages, in the order of their ids */
async function addTalks(client: pg.Client, talks: Talk[], random: Random): Promise<Row[]> {
  const conversations = talks.map(({ people, began }): Row => {
    const [user1, user2] = people.toSorted((a, b) => a.id! - b.id!);
    return { user1_id: user1, user2_id: user2, created_at: began };
  });
  await insert(client, 'conversations', conversations);
  const messages = talks.flatMap(({ lines, began, isUnread }, index) => {
    const lastAnswer = lines.findLastIndex(({ by }) => by !== lines.at(-1)!.by);
    let time = began;
    return lines.map(({ by, text }, place): Row => {
      time += random.int(1, 15) * MINUTE;
      const read = { read_at: isUnread && place > lastAnswer ? null : time + MINUTE };
      return { conversation_id: conversations[index], sender_id: by, content: text, timestamp: clock(time), ...read };
    });
  });
  await insert(client, 'messages', messages);
  await client.query(
    `INSERT INTO participants (conversation_id, user_id, other_id, unread_count, last_read_id, last_read_at,
       last_active_at)
     SELECT c.id, pair.me, pair.other, count(*) FILTER (WHERE m.sender_id = pair.other AND m.read_at IS NULL),
       coalesce(max(m.id) FILTER (WHERE m.sender_id = pair.other AND m.read_at IS NOT NULL), 0),
       max(m.read_at) FILTER (WHERE m.sender_id = pair.other), max(m.timestamp)
     FROM conversations c CROSS JOIN LATERAL (VALUES (user1_id, user2_id), (user2_id, user1_id)) pair (me, other)
     JOIN messages m ON m.conversation_id = c.id
     WHERE c.id = ANY($1) GROUP BY 1, 2, 3`,
    [conversations.map(({ id }) => id)],
  );
  return messages;
}

/** The attachment: one page that says what it is. */
async function addPlan(client: pg.Client, { now }: Demo, message: Row, storage: Storage): Promise<void> {
  const bytes = Buffer.from(onePage('Plan for the new trainers'));
  await writeFile(await storage.draftOf(PLAN_KEY), bytes);
  await storage.keep(PLAN_KEY, 'application/pdf');
  await insert(client, 'attachments', [
    {
      ...{ message_id: message, uploaded_by_id: message.sender_id, storage_key: PLAN_KEY, name: 'plan.pdf' },
      ...{ content_type: 'application/pdf', size: bytes.length, created_at: now },
    },
  ]);
}

function onePage(text: string): string {
  const drawn = `BT /F1 24 Tf 72 760 Td (${text}) Tj ET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${drawn.length} >>\nstream\n${drawn}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let pdf = '%PDF-1.4\n';
  const places = objects.map((object, index) => {
    const place = pdf.length;
    pdf += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(place).padStart(10, '0')} 00000 n \n`;
  });
  const table = pdf.length;
  pdf += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${places.join('')}`;
  return `${pdf}trailer << /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`;
}
