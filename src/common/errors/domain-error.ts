/** One wrong field of a request. */
export interface FieldError {
  /** Where it is, as in the body: `email`, `login_data.email`. */
  field: string;
  message: string;
}

/** At least one. */
export type FieldErrors = [FieldError, ...FieldError[]];

interface KindOfProblem {
  /** Stable snake_case word for programs. */
  code: string;
  /** What went wrong, for people; the same every time. */
  title: string;
  /** A constraint of the database whose violation means this error. */
  constraint?: string;
}

/** With its HTTP status. A 503 says after how many seconds one may try again. */
export type ProblemKind = KindOfProblem &
  (
    | {
        status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 417 | 422 | 429 | 431 | 500 | 504;
        retry_after?: never;
      }
    | { status: 503; retry_after: number }
  );

export type ErrorClass = (new (...data: never[]) => DomainError) & { readonly kind?: ProblemKind };

/** Whatever a client is told went wrong. Each kind is a class with @Problem, in the `x.errors.ts` of its feature. */
export abstract class DomainError extends Error {
  /** The log has it already, for all who meet it. */
  isReported = false;

  constructor(
    /** This occurrence, for people; by default the title. */
    detail?: string,
    readonly data: { errors?: FieldError[]; retry_after?: number } = {},
  ) {
    // A 4xx is an answer, and no fault of ours: to note where it was thrown would take longer than the rest of it.
    const { stackTraceLimit } = Error;
    if ((kinds.get(new.target as unknown as ErrorClass)?.status ?? 500) < 500) Error.stackTraceLimit = 0;
    super(detail);
    Error.stackTraceLimit = stackTraceLimit;
    this.message ||= this.kind.title;
  }

  get kind(): ProblemKind {
    return problemKind(this.constructor as ErrorClass);
  }
}

const kinds = new Map<ErrorClass, ProblemKind>();

/** A refusal that names the fields that are wrong: every 422. */
export abstract class FieldsError extends DomainError {
  declare readonly data: { errors: FieldErrors };

  constructor(errors: FieldErrors, detail?: string) {
    super(detail, { errors });
  }
}

/** Gives an error class its code, status and title, and lists it in the docs. */
export function Problem<const Kind extends ProblemKind>(kind: Kind) {
  return (error: Kind extends { status: 422 } ? new (...data: never[]) => FieldsError : ErrorClass): void =>
    void kinds.set(error, kind);
}

export function problemKind(error: ErrorClass): ProblemKind {
  const kind = kinds.get(error);
  if (!kind) throw new Error(`${error.name} has no @Problem`);
  return kind;
}

/** Every kind of error, by code. */
export function allProblemKinds(): ProblemKind[] {
  return [...kinds.values()].toSorted((a, b) => a.code.localeCompare(b.code));
}

/** The error that a violated constraint means, if a feature claims it. */
export function errorOfConstraint(constraint: string): DomainError | null {
  for (const [error, kind] of kinds) if (kind.constraint === constraint) return new (error as new () => DomainError)();
  return null;
}
