import { DomainError, Problem } from '../common/errors/domain-error.js';
import { GymInactive } from '../gyms/gyms.errors.js';

@Problem({ code: 'slot_not_found', status: 404, title: 'This hour does not exist on that day' })
export class SlotNotFound extends DomainError {}

@Problem({ code: 'slot_taken', status: 409, title: 'This hour is booked out', constraint: 'slot_bookings_seat' })
export class SlotTaken extends DomainError {}

@Problem({
  code: 'already_booked',
  status: 409,
  title: 'This person has booked this hour already',
  constraint: 'slot_bookings_once',
})
export class AlreadyBooked extends DomainError {}

@Problem({ code: 'slot_closed', status: 409, title: 'The gym is closed at this hour' })
export class SlotClosed extends DomainError {}

@Problem({ code: 'slot_over', status: 409, title: 'This hour is over' })
export class SlotOver extends DomainError {}

@Problem({ code: 'too_far_ahead', status: 409, title: 'This day cannot be booked yet' })
export class TooFarAhead extends DomainError {}

@Problem({ code: 'too_many_bookings', status: 409, title: 'This person has as many hours on this day as one may have' })
export class TooManyBookings extends DomainError {}

@Problem({ code: 'booking_not_found', status: 404, title: 'This person has not booked this hour' })
export class BookingNotFound extends DomainError {}

@Problem({ code: 'only_for_yourself', status: 403, title: 'Only staff books and cancels for others' })
export class OnlyForYourself extends DomainError {}

@Problem({ code: 'hour_not_booked', status: 403, title: 'You must have booked the current hour' })
export class HourNotBooked extends DomainError {
  /** @param hour which it is: "09:00-10:00" */
  constructor(readonly hour: string) {
    super(`You must have booked the current time slot (${hour}).`);
  }
}

/** What a booking may meet, by REST or on a socket. */
export const BOOK_ERRORS = [
  ...[OnlyForYourself, SlotNotFound, SlotTaken, AlreadyBooked, SlotClosed, SlotOver, TooFarAhead, TooManyBookings],
  GymInactive,
];
export const CANCEL_ERRORS = [OnlyForYourself, BookingNotFound, SlotOver];
