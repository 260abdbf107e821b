import { DomainError, Problem } from '../common/errors/domain-error.js';

@Problem({ code: 'not_your_account', status: 403, title: 'This is the account of another person' })
export class NotYourAccount extends DomainError {}

@Problem({ code: 'profile_not_found', status: 404, title: 'This account has no such profile' })
export class ProfileNotFound extends DomainError {}

@Problem({
  code: 'profile_has_courses',
  status: 409,
  title: 'The courses of this profile must be deleted first',
  constraint: 'courses_trainer_profile_id_fkey',
})
export class ProfileHasCourses extends DomainError {}
