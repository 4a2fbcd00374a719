// Refusals: expected errors of the database, told apart from broken ones.
import { DrizzleQueryError } from 'drizzle-orm/errors';
import { z } from 'zod';
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

/** The database's own error behind one that the query builder has wrapped; null for any other. */
export function databaseErrorOf(error: unknown): DatabaseError | null {
  const cause = error instanceof Error && error.cause ? error.cause : error;
  const known =
    cause instanceof Error &&
    'code' in cause &&
    typeof cause.code === 'string' &&
    /^[0-9A-Z]{5}$/.test(cause.code);
  return known ? (cause as Error & DatabaseError) : null;
}

/** SQLSTATEs of a database that cannot serve now: shutting down, starting, or full. */
const awayStates = new Set(['57P01', '57P02', '57P03', '53300']);
/** Of a statement that waited too long, for a lock or in all: another one may fare better. */
const tooLongStates = new Set(['57014', '55P03']);
const unavailableWords =
  /ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|Connection terminated|timeout exceeded|Query read timeout|Error connecting to database|fetch failed|timed out/i;

/** Whether an error says that the database cannot serve this now, rather than that a query is wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  return isDatabaseAway(error) || tooLongStates.has(databaseErrorOf(error)?.code ?? '');
}

/** Whether an error says that the database is out of reach, for everybody. */
export function isDatabaseAway(error: unknown): boolean {
  const known = databaseErrorOf(error);
  if (known) return awayStates.has(known.code) || known.code.startsWith('08');
  const cause = error instanceof Error && error.cause ? error.cause : error;
  if (!(cause instanceof Error)) return false;
  const code = 'code' in cause ? String(cause.code) : '';
  return error instanceof DrizzleQueryError && unavailableWords.test(`${code} ${cause.message}`);
}

/** Awaits a query and turns the errors that mean "no" into a `Refusal`; others pass through. */
export async function refusing<T>(query: PromiseLike<T>): Promise<T> {
  try {
    return await query;
  } catch (error) {
    const known = databaseErrorOf(error);
    if (known?.code === refusedState && isProblemCode(known.message)) {
      throw new Refusal(known.message, parseDetail(known.detail));
    }
    const taken =
      known?.code === uniqueViolationState && constraintProblems[known.constraint ?? ''];
    if (taken) throw new Refusal(taken);
    throw error;
  }
}

const RefusedAnswer = z.object({
  refused: z.enum(problemCodes),
  details: z.record(z.string(), z.unknown()),
});

/** The refusal that an answer of the database is; null for any other answer. */
export function refusalOf(answer: unknown): Refusal | null {
  const refused = RefusedAnswer.safeParse(answer);
  return refused.success ? new Refusal(refused.data.refused, refused.data.details) : null;
}

function isProblemCode(text: string): text is ProblemCode {
  return (problemCodes as readonly string[]).includes(text);
}

function parseDetail(detail: string | undefined): Record<string, unknown> {
  return detail ? (JSON.parse(detail) as Record<string, unknown>) : {};
}
