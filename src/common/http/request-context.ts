import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line of a request carries. Only the log reads it: services get what they need as arguments. */
export interface RequestContext {
  request_id: string;
  user_id?: number;
  gym_id?: number | null;
}

export const requestContext = new AsyncLocalStorage<RequestContext>();
