import { DomainError, Problem } from '../common/errors/domain-error.js';

@Problem({ code: 'device_not_found', status: 404, title: 'There is no such device' })
export class DeviceNotFound extends DomainError {}

@Problem({
  code: 'device_number_taken',
  status: 409,
  title: 'Another device of the gym has this number',
  constraint: 'devices_device_number_key',
})
export class DeviceNumberTaken extends DomainError {}

@Problem({
  code: 'no_device_connected',
  status: 503,
  title: 'No fingerprint reader of the gym is connected',
  retry_after: 5,
})
export class NoDeviceConnected extends DomainError {}

@Problem({ code: 'device_busy', status: 409, title: 'The readers of the gym are busy with other consoles' })
export class DeviceBusy extends DomainError {}

@Problem({ code: 'no_member_chosen', status: 409, title: 'Say whose finger it is first: send `user`' })
export class NoMemberChosen extends DomainError {}

@Problem({ code: 'other_member_chosen', status: 409, title: 'The console has chosen another member for this reader' })
export class OtherMemberChosen extends DomainError {}

@Problem({ code: 'board_not_connected', status: 503, title: 'The board is not connected', retry_after: 5 })
export class BoardNotConnected extends DomainError {}

@Problem({ code: 'board_timed_out', status: 504, title: 'The board did not answer in time' })
export class BoardTimedOut extends DomainError {}

@Problem({ code: 'already_signed_in', status: 409, title: 'This connection is signed in already; open another' })
export class AlreadySignedIn extends DomainError {}

@Problem({ code: 'device_gone', status: 409, title: 'The reader has disconnected; start again' })
export class DeviceGone extends DomainError {}

@Problem({
  code: 'console_gone',
  status: 409,
  title: 'The console has disconnected and does not wait for the finger any more',
})
export class ConsoleGone extends DomainError {}
