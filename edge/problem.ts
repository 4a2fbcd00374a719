// Problems: refusals as exceptions, and the one place where errors become answers (RFC 9457).
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import {
  type ProblemCode,
  type ProblemDocument,
  problemStatus,
  problemTitle,
  problemType,
} from '#contract';
import { isDatabaseUnavailable, Refusal } from '#db';
import type { AppEnv } from './deps.ts';

const retryAfterSeconds = 2;

/** An expected refusal, thrown by `problem()`. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly extensions: Record<string, unknown>;

  constructor(code: ProblemCode, extensions: Record<string, unknown> = {}) {
    super(code);
    this.name = 'Problem';
    this.code = code;
    this.extensions = extensions;
  }
}

/** `throw problem('insufficient-balance', { neededTokens, availableTokens })` */
export function problem(code: ProblemCode, extensions: Record<string, unknown> = {}): Problem {
  return new Problem(code, extensions);
}

/** Renders any error; what is not a refusal is logged whole and answered with `internal` alone. */
export function renderError(error: Error, c: Context<AppEnv>): Response {
  const refused = asProblem(error);
  const code = refused?.code ?? 'internal';
  if (code === 'internal') c.var.log.error('request failed', { error: describeError(error) });
  if (code === 'unavailable') c.header('retry-after', String(retryAfterSeconds));
  const status = problemStatus(code);
  const body: ProblemDocument = {
    ...refused?.extensions,
    type: problemType(code),
    code,
    title: problemTitle(code),
    status,
    requestId: c.var.requestId,
  };
  c.set('problemCode', code);
  return c.body(JSON.stringify(body), status as ContentfulStatusCode, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  });
}

function asProblem(error: Error): Problem | null {
  if (error instanceof Problem) return error;
  if (error instanceof Refusal) return problem(error.code, error.details);
  if (error instanceof HTTPException) {
    // The framework's own: a body that is not JSON, or one that is too large.
    if (error.status === 400) return problem('malformed-body');
    if (error.status === 413) return problem('body-too-large');
  }
  if (isDatabaseUnavailable(error)) return problem('unavailable');
  return null;
}

/** The error with its causes, for the log; a query's parameters may hold secrets and are cut off. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = (error.stack ?? error.message).replace(
    /\nparams: [\s\S]*?(?=\n\s+at |$)/g,
    '\nparams: (left out)',
  );
  return error.cause ? `${text}\ncaused by: ${describeError(error.cause)}` : text;
}
