// API errors: a refusal that the edge has put into words, or a request that never got an answer.
import type { ProblemCode, ProblemDocument } from '#contract';
import { wordsOfRefusal } from './refusal-words.ts';

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

/** A failure whose message is meant for the person in front of the screen. */
export class ToldError extends Error {
  override readonly name: string = 'ToldError';
}

/** True when the same request may succeed in a moment without being changed. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof ApiError) || error.code === 'order-limit') return false;
  return error.status === 0 || error.status >= 500 || error.status === 429;
}

/** True when the edge has refused with this code. */
export function hasCode(error: unknown, ...codes: ApiErrorCode[]): boolean {
  return error instanceof ApiError && codes.includes(error.code);
}

/** One sentence or two for the person in front of the screen. */
export function messageOf(error: unknown): string {
  if (error instanceof ToldError) return error.message;
  if (!(error instanceof ApiError)) return 'Something went wrong. Try again.';
  const { code, problem } = error;
  if (code === 'network') return 'No connection. Check your network and try again.';
  if (code === 'timeout') return 'The answer took too long. Try again.';
  const own = wordsOfRefusal(code, problem);
  if (own) return own;
  const text = problem?.detail ?? problem?.title ?? error.message;
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
