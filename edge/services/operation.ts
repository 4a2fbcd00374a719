// Operations: what the OpenAPI document says of a route beyond its schemas.
import type { MiddlewareHandler } from 'hono';
import { describeRoute, resolver } from 'hono-openapi';
import type { z } from 'zod';
import { type ProblemCode, ProblemDocument, problemStatus, problemTitle } from '#contract';
import type { AppEnv } from '../deps.ts';

export interface Operation {
  summary: string;
  tag: string;
  /** What it answers when it succeeds; null for an empty body. */
  answers: readonly [status: 200 | 201 | 204, schema: z.ZodType | null];
  /** The refusals that are its own; those of every route are added. */
  problems?: readonly ProblemCode[];
  /** Who may call it. */
  access?: 'anyone' | 'user' | 'performer' | 'admin';
  idempotent?: boolean;
}

const everywhere: readonly ProblemCode[] = ['internal', 'unavailable'];
/** Whoever checks a request's fields may get a body that has none. */
const withInput: readonly ProblemCode[] = [
  'malformed-body',
  'body-too-large',
  'unsupported-media-type',
];

/** Documents the route that follows it in the chain. */
export function operation(description: Operation): MiddlewareHandler<AppEnv> {
  const [status, schema] = description.answers;
  const access = description.access ?? 'anyone';
  const codes = [
    ...(description.problems ?? []),
    ...(access === 'anyone' ? [] : (['unauthenticated'] as const)),
    ...(access === 'performer' || access === 'admin' ? (['forbidden'] as const) : []),
    ...(description.idempotent ? (['missing-idempotency-key'] as const) : []),
    ...(description.problems?.includes('invalid-request') ? withInput : []),
    ...everywhere,
  ];
  const refusals = Object.entries(Object.groupBy(codes, (code) => String(problemStatus(code)))).map(
    ([refusalStatus, group]) => [
      refusalStatus,
      {
        description: (group ?? []).map((code) => `\`${code}\`: ${problemTitle(code)}`).join('\n\n'),
        content: { 'application/problem+json': { schema: resolver(ProblemDocument) } },
      },
    ],
  );
  return describeRoute({
    summary: description.summary,
    tags: [description.tag],
    ...(access === 'anyone' ? {} : { security: [{ bearer: [] }] }),
    ...(description.idempotent
      ? {
          parameters: [
            {
              in: 'header',
              name: 'Idempotency-Key',
              required: true,
              description: 'One key per intended act; a retry of the same act sends the same key.',
              schema: { type: 'string', minLength: 8, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' },
            },
          ],
        }
      : {}),
    responses: {
      [String(status)]: {
        description: schema ? 'Done' : 'Done; no body',
        ...(schema ? { content: { 'application/json': { schema: resolver(schema) } } } : {}),
      },
      ...Object.fromEntries(refusals),
    },
  });
}
