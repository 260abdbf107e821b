import type pg from 'pg';
import { arrival, DAY } from './demo-clock.js';
import type { Demo, Member } from './demo-people.js';
import { Random } from './random.js';
import { insert, type Row } from './rows.js';

/** What is average, and by how much a year of losing weight, or of building muscle, changes it. */
const SIZES: Record<string, [average: number, losing: number, building: number]> = {
  weight: [79, -9, 5],
  chest: [99, -3, 5],
  shoulders: [114, -1, 6],
  biceps_left: [32.5, 0.5, 3.5],
  biceps_right: [33, 0.5, 3.5],
  forearms_left: [27, 0, 1.5],
  forearms_right: [27.5, 0, 1.5],
  abdomen: [91, -10, -1],
  hips: [103, -6, 1],
  thighs_left: [57, -3, 4],
  thighs_right: [57.5, -3, 4],
  calves_left: [37.5, -0.5, 1.5],
  calves_right: [37.5, -0.5, 1.5],
};

/** Every seventh member is measured by a trainer now and then; the first one, who is in the docs, every four weeks. */
export async function addMeasurements(client: pg.Client, demo: Demo, members: Member[]): Promise<void> {
  const random = new Random(3 + 10 * demo.place);
  const measured = members.filter((_, position) => position % 7 === 0);
  const rows = measured.flatMap((member, position) => progress(demo, member, position, random));
  await insert(
    client,
    'measurements',
    rows.toSorted((a, b) => a.created_at - b.created_at),
  );
}

function progress({ gym, now, trainers }: Demo, member: Member, position: number, random: Random) {
  const height = random.int(156, 192);
  const build = (height / 172) * (0.92 + 0.16 * random.next());
  const goal = position % 2 === 0 ? 1 : 2;
  const success = 0.5 + 0.7 * random.next();
  const pause = position === 0 ? 28 : random.int(25, 60);
  const rows: (Row & { created_at: number })[] = [];
  for (let day = member.created_at + DAY; day < now - DAY; day += pause * DAY) {
    const at = arrival(random, day);
    // Much happens in the beginning and less later.
    const progressed = success * (1 - Math.exp((-2 * (at - member.created_at)) / (365 * DAY)));
    const sizes = Object.entries(SIZES).map(([size, numbers]) => {
      const value = numbers[0] * build + numbers[goal] * progressed + (random.next() - 0.5) * 0.6;
      return [size, Math.round(value * 10) / 10];
    });
    rows.push({
      ...{ user_id: member, gym_id: gym, measurement_date: at, height, ...(Object.fromEntries(sizes) as object) },
      ...{ recorded_by_id: random.pick(trainers), created_at: at, updated_at: at },
    });
  }
  return rows;
}
