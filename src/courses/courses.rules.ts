import type { Actor } from '../common/actor/actor.js';
import { CourseArchived, NotYourCourse, OwnCourse } from './courses.errors.js';
import type { CourseDto } from './dto/courses.dto.js';

/** Whose course it is. */
export interface Trainer {
  account_id: number;
  gym_id: number | null;
}

/** A trainer's courses are their own affair, that of the manager of their gym, and an admin's. @throws NotYourCourse */
export function requireMayManage(actor: Actor, trainer: Trainer): void {
  if (!actor.mayActFor({ id: trainer.account_id, gym_id: trainer.gym_id })) throw new NotYourCourse();
}

/** @throws OwnCourse, CourseArchived */
export function requireMayEnrol(actor: Actor, { trainer, is_archived }: CourseDto): void {
  if (trainer.id === actor.user_id) throw new OwnCourse();
  if (is_archived) throw new CourseArchived();
}
