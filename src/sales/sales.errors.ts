import { DomainError, Problem } from '../common/errors/domain-error.js';

@Problem({ code: 'sale_not_found', status: 404, title: 'There is no such sale' })
export class SaleNotFound extends DomainError {}
