import { DomainError, Problem } from '../common/errors/domain-error.js';

@Problem({ code: 'unknown_event', status: 404, title: 'There is no such event' })
export class UnknownEvent extends DomainError {}

@Problem({
  code: 'unknown_namespace',
  status: 404,
  title: 'There is no such namespace: connect to /chat, /checkins, /devices or /slots',
})
export class UnknownNamespace extends DomainError {}

@Problem({ code: 'message_too_large', status: 413, title: 'The message is too large' })
export class MessageTooLarge extends DomainError {}
