/** What was asked for an answer, and with which credentials. */
interface Asked {
  /** `POST /users`, `/checkins check_in` */
  what: string;
  sent: unknown;
  credential: string | undefined;
}

const asked = new WeakMap<object, Asked>();
const callers = new Map<string, string>();

/** Whose token or device key it is, so that a test that fails can say it. */
export function rememberCaller(
  credential: string,
  { role, id, gym_id }: { role: string; id: number; gym_id: number | null },
): void {
  callers.set(credential, `${role} ${id} of ${gym_id === null ? 'no gym' : `gym ${gym_id}`}`);
}

export function rememberAsked<Answer>(answer: Answer, what: string, sent: unknown, credential?: string): Answer {
  if (typeof answer === 'object' && answer !== null) asked.set(answer, { what, sent, credential });
  return answer;
}

/** The request of an answer and its caller, one a line. */
export function requestOf(answer: object): string {
  const known = asked.get(answer);
  if (!known) return 'A request';
  const { what, sent, credential } = known;
  const caller = credential === undefined ? 'a caller without a token' : callers.get(credential);
  return `${what} ${JSON.stringify(sent)?.slice(0, 500) ?? ''}\nby ${caller ?? 'a caller with an unknown token'}`;
}
