import { DomainError, Problem } from '../common/errors/domain-error.js';

@Problem({ code: 'product_not_found', status: 404, title: 'There is no such product' })
export class ProductNotFound extends DomainError {}

@Problem({
  code: 'product_name_taken',
  status: 409,
  title: 'A product of the gym has this name already',
  constraint: 'products_name_key',
})
export class ProductNameTaken extends DomainError {}

@Problem({ code: 'product_inactive', status: 409, title: 'This product is not sold any more' })
export class ProductInactive extends DomainError {}

@Problem({
  code: 'insufficient_stock',
  status: 409,
  title: 'There is not enough in stock',
  constraint: 'products_quantity_check',
})
export class InsufficientStock extends DomainError {}
