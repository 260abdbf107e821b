import { DomainError, FieldsError, Problem } from '../common/errors/domain-error.js';

@Problem({ code: 'measurement_not_found', status: 404, title: 'There is no such measurement' })
export class MeasurementNotFound extends DomainError {}

@Problem({
  code: 'nothing_measured',
  status: 422,
  title: 'A measurement needs at least one number',
  constraint: 'measurements_something_check',
})
export class NothingMeasured extends FieldsError {
  constructor() {
    super([{ field: 'weight', message: 'or any other size is required' }]);
  }
}
