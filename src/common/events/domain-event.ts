/**
 * Something that happened and is committed. Listeners take it by its class: `@OnEvent(UserChanged.name)`. They run
 * after the answer's transaction, in this process only; what may not be lost goes through the job queue (jobs/).
 */
export abstract class DomainEvent {
  /** The gym whose people may know of it; null: the whole chain's. */
  abstract readonly gym_id: number | null;
}
