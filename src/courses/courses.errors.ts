import { DomainError, Problem } from '../common/errors/domain-error.js';

@Problem({ code: 'course_not_found', status: 404, title: 'There is no such course' })
export class CourseNotFound extends DomainError {}

@Problem({ code: 'no_trainer_profile', status: 403, title: 'You have no trainer profile' })
export class NoTrainerProfile extends DomainError {}

@Problem({ code: 'not_your_course', status: 403, title: 'This is the course of another trainer' })
export class NotYourCourse extends DomainError {}

@Problem({ code: 'own_course', status: 409, title: 'This is your own course' })
export class OwnCourse extends DomainError {}

@Problem({ code: 'course_archived', status: 409, title: 'This course is archived and takes no one new' })
export class CourseArchived extends DomainError {}

@Problem({ code: 'course_has_enrolments', status: 409, title: 'People are enrolled; archive the course first' })
export class CourseHasEnrolments extends DomainError {}
