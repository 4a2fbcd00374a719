// API errors: a refusal that the edge has put into words, or a request that never got an answer.
import type { ProblemCode, ProblemDocument } from '#contract';

export type ApiErrorCode = ProblemCode | 'network' | 'timeout';

/** Every API call fails with this and nothing else. `status` is 0 when no answer came. */
export class ApiError extends Error {
  readonly code: ApiErrorCode;
  readonly status: number;
  readonly problem: ProblemDocument | null;

  constructor(code: ApiErrorCode, status: number, problem: ProblemDocument | null, text: string) {
    super(text);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
    this.problem = problem;
  }
}

/** True when the same request may succeed later without being changed. */
export function isTransient(error: unknown): boolean {
  return (
    error instanceof ApiError && (error.status === 0 || error.status >= 500 || error.status === 429)
  );
}

/** True when the edge has refused with this code. */
export function hasCode(error: unknown, ...codes: ApiErrorCode[]): boolean {
  return error instanceof ApiError && codes.includes(error.code);
}

const ownWords: Partial<Record<ApiErrorCode, string>> = {
  network: 'No connection. Check your network and try again.',
  timeout: 'The answer took too long. Try again.',
  'insufficient-balance': 'You do not have enough tokens for this.',
  'self-tip': 'You cannot tip your own stream.',
  'stream-limit': 'You have a stream open already. Resume it or end it first.',
  'invalid-request': 'Something in it does not fit. Look it over and try again.',
  'rate-limited': 'That was a bit fast. Wait a moment and try again.',
};

/** One sentence for the person in front of the screen. */
export function messageOf(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Something went wrong. Try again.';
  const own = ownWords[error.code];
  if (own) return own;
  const text = error.problem?.detail ?? error.problem?.title ?? error.message;
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Refusals of single fields of a body, by field name. */
export function fieldErrorsOf(error: unknown): Record<string, string> {
  const fields: Record<string, string> = {};
  if (error instanceof ApiError) {
    for (const { path, message } of error.problem?.errors ?? []) fields[path] ??= message;
  }
  return fields;
}
