import { DomainError, Problem } from '../common/errors/domain-error.js';

@Problem({
  code: 'document_id_taken',
  status: 409,
  title: 'Another person has this document',
  constraint: 'users_document_id_key',
})
export class DocumentIdTaken extends DomainError {}

@Problem({ code: 'role_not_assignable', status: 403, title: 'You may not give or change this role' })
export class RoleNotAssignable extends DomainError {}

@Problem({ code: 'fields_not_changeable', status: 403, title: 'You may not change all of these fields' })
export class FieldsNotChangeable extends DomainError {}

@Problem({ code: 'last_admin', status: 409, title: 'The last active admin must stay' })
export class LastAdmin extends DomainError {}
