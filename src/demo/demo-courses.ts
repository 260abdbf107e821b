import type pg from 'pg';
import { DAY, HOUR } from './demo-clock.js';
import type { Demo, Member } from './demo-people.js';
import { Random } from './random.js';
import { insert, type Row } from './rows.js';

/** Of each trainer of a gym in turn: title, description, price, how many take it, and whether it is over. */
const COURSES: [title: string, description: string, price: number, taken: number, isOver: boolean][][] = [
  [
    ['Kettlebell basics', 'Six weeks, twice a week, for beginners: swing, clean, press.', 49.9, 9, false],
    ['Strong back', 'Eight evenings for people who sit all day.', 65, 6, false],
    // The one that the docs delete.
    ['First pull-up', 'Ten weeks from hanging to your first clean pull-up.', 79, 0, false],
  ],
  [
    ['Yoga in the morning', 'Four weeks of quiet mornings. Bring a mat.', 39, 11, false],
    ['Run 5 km', 'From the treadmill to the river, three runs a week.', 29.5, 7, true],
  ],
];

const profile = (account: Row, type: string, at: number): Row => ({
  ...{ account_id: account, profile_type: type, is_current: true, created_at: at },
});

/** Trainers have a trainer profile and courses; of the members some are trainees, and take them. */
export async function addCourses(client: pg.Client, { place, now, trainers }: Demo, members: Member[]): Promise<void> {
  const random = new Random(5 + 10 * place);
  const trainees = members.filter(({ is_steady: isSteady }, position) => isSteady || position % 4 === 0);
  const profiles = trainers.map((trainer) => profile(trainer, 'trainer', now - 300 * DAY));
  await insert(client, 'profiles', profiles);
  const joined = trainees.map((trainee) => profile(trainee, 'trainee', trainee.created_at + HOUR));
  await insert(client, 'profiles', joined);

  const courses: Row[] = [];
  const enrolments: Row[] = [];
  for (const [index, trainer] of profiles.entries()) {
    for (const [title, description, price, taken, isOver] of COURSES[index]!) {
      const at = now - (150 - 25 * courses.length) * DAY;
      const course: Row = { trainer_profile_id: trainer, title, description, price, is_archived: isOver };
      courses.push({ ...course, created_at: at, updated_at: at });
      const first = random.int(0, trainees.length - 1);
      for (let position = 0; position < taken; position++) {
        const member = trainees[(first + position) % trainees.length]!;
        const since = Math.max(at, member.created_at) + HOUR * (1 + random.int(1, 40));
        enrolments.push({ course_id: courses.at(-1), user_id: member, created_at: Math.min(since, now) });
      }
    }
  }
  await insert(client, 'courses', courses);
  await insert(client, 'course_enrolments', enrolments);
}
