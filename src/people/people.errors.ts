import { DomainError, Problem } from '../common/errors/domain-error.js';

@Problem({ code: 'user_not_found', status: 404, title: 'There is no such person' })
export class UserNotFound extends DomainError {}

@Problem({ code: 'member_left', status: 409, title: 'This person is no member of the gym any more' })
export class MemberLeft extends DomainError {}
