import { DomainError, Problem } from '../common/errors/domain-error.js';

@Problem({ code: 'money_not_shown', status: 403, title: 'Your role does not see the money of the gym' })
export class MoneyNotShown extends DomainError {}
