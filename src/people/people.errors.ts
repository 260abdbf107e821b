import { DomainError, Problem } from '../common/errors/domain-error.js';

@Problem({ code: 'user_not_found', status: 404, title: 'There is no such person' })
export class UserNotFound extends DomainError {}
