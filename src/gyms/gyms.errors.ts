import { DomainError, Problem } from '../common/errors/domain-error.js';

@Problem({ code: 'gym_not_found', status: 404, title: 'There is no such gym' })
export class GymNotFound extends DomainError {}

@Problem({ code: 'gym_name_taken', status: 409, title: 'A gym has this name already', constraint: 'gyms_name_key' })
export class GymNameTaken extends DomainError {}

@Problem({ code: 'gym_inactive', status: 409, title: 'This gym is inactive' })
export class GymInactive extends DomainError {}
