// Refusals: expected errors of the database, told apart from broken ones.
import { type ProblemCode, problemCodes } from '#contract';

/** SQLSTATE of `refuse()`; its message is a problem code, its detail JSON. */
const refusedState = 'LP001';
const uniqueViolationState = '23505';

const constraintProblems: Record<string, ProblemCode> = {
  users_email_key: 'email-taken',
  users_username_key: 'username-taken',
};

/** The database said no for a reason that the caller should hear. */
export class Refusal extends Error {
  readonly code: ProblemCode;
  readonly details: Record<string, unknown>;

  constructor(code: ProblemCode, details: Record<string, unknown> = {}) {
    super(code);
    this.name = 'Refusal';
    this.code = code;
    this.details = details;
  }
}

interface DatabaseError {
  code: string;
  message: string;
  detail?: string;
  constraint?: string;
}

function isDatabaseError(value: unknown): value is DatabaseError {
  return (
    value instanceof Error &&
    'code' in value &&
    typeof value.code === 'string' &&
    value.code.length === 5
  );
}

/** Awaits a query and turns the errors that mean "no" into a `Refusal`; others pass through. */
export async function refusing<T>(query: PromiseLike<T>): Promise<T> {
  try {
    return await query;
  } catch (error) {
    // Drizzle wraps the driver's error.
    const cause = error instanceof Error && error.cause ? error.cause : error;
    if (isDatabaseError(cause)) {
      if (cause.code === refusedState && isProblemCode(cause.message)) {
        throw new Refusal(cause.message, parseDetail(cause.detail));
      }
      const taken =
        cause.code === uniqueViolationState && constraintProblems[cause.constraint ?? ''];
      if (taken) throw new Refusal(taken);
    }
    throw error;
  }
}

function isProblemCode(text: string): text is ProblemCode {
  return (problemCodes as readonly string[]).includes(text);
}

function parseDetail(detail: string | undefined): Record<string, unknown> {
  return detail ? (JSON.parse(detail) as Record<string, unknown>) : {};
}
