import { DomainError, Problem } from '../common/errors/domain-error.js';

@Problem({ code: 'conversation_not_found', status: 404, title: 'There is no such conversation' })
export class ConversationNotFound extends DomainError {
  /** It is there, but of others. Nobody is told that but clients who always were. */
  constructor(readonly isOfOthers = false) {
    super();
  }
}

@Problem({ code: 'message_not_found', status: 404, title: 'There is no such message' })
export class MessageNotFound extends DomainError {}

@Problem({ code: 'attachment_not_found', status: 404, title: 'There is no such attachment' })
export class AttachmentNotFound extends DomainError {}

@Problem({ code: 'link_not_valid', status: 403, title: 'This link is too old, or was changed' })
export class LinkNotValid extends DomainError {}

@Problem({ code: 'not_sender', status: 403, title: 'Only its sender may do this to a message' })
export class NotSender extends DomainError {}

@Problem({ code: 'message_deleted', status: 409, title: 'This message was deleted' })
export class MessageDeleted extends DomainError {}

@Problem({ code: 'person_not_active', status: 409, title: 'The other person was deleted or deactivated' })
export class PersonNotActive extends DomainError {}

@Problem({ code: 'attachment_type', status: 415, title: 'An attachment is a picture, a PDF, audio or video' })
export class AttachmentType extends DomainError {}
