// Operations: what a route is, who may call it and how often; kept to, and told in the OpenAPI document.
import type { MiddlewareHandler } from 'hono';
import { describeRoute, resolver, uniqueSymbol } from 'hono-openapi';
import type { z } from 'zod';
import {
  type Permission,
  type ProblemCode,
  ProblemDocument,
  problemStatus,
  problemTitle,
} from '#contract';
import type { AppEnv, Deps } from '../deps.ts';
import { findIdentity, idempotencyKey, requirePermission, requireRecentProof } from './access.ts';
import { findGuest } from './guests.ts';
import { countRead, countRequest, limits, type RateLimit, readLimits } from './rate-limit.ts';

/** Nobody looks who `anyone` is; a `visitor` need not say it, and is known where they do. */
export type Access = 'anyone' | 'visitor' | Permission;

interface Operation {
  summary: string;
  tag: string;
  /** Who may call it. */
  access: Access;
  /** What it answers when it succeeds; null for an empty body. */
  answers: readonly [status: 200 | 201 | 202 | 204, schema: z.ZodType | null];
  /** The refusals that are its own; those of every route are added. */
  problems?: readonly ProblemCode[];
  /** `recent`: only where a second factor was shown in this session a short while ago. */
  proof?: 'recent';
  limit?: RateLimit;
  /** Whether a key says which act is meant, so that a retry does nothing twice. */
  idempotent?: boolean;
}

const everywhere: readonly ProblemCode[] = ['internal', 'unavailable'];
/** Whoever checks a request's fields may get a body that has none. */
const withInput: readonly ProblemCode[] = [
  'malformed-body',
  'body-too-large',
  'unsupported-media-type',
];

/** What the permission table says of a route. */
export interface Rule {
  access: Access;
  idempotent: boolean;
}
const rules = new WeakMap<object, Rule>();

/** The rule of a route's handler that `operation` made; undefined for any other handler. */
export function ruleOf(handler: object): Rule | undefined {
  return rules.get(handler);
}

/**
 * Keeps to what is said of the route that follows it in the chain, and documents it. Whoever may not call it is told
 * so before anything of the request is looked at; a forbidden caller learns nothing from the refusal.
 */
export function operation(deps: Deps, description: Operation): MiddlewareHandler<AppEnv> {
  const { access, limit, proof, idempotent = false } = description;
  const handler: MiddlewareHandler<AppEnv> = async (c, next) => {
    const isRead = c.req.method === 'GET' || c.req.method === 'HEAD';
    if (limit?.by === 'line') await countRequest(deps, c, limit);
    else if (access === 'visitor' || access === 'anyone') countRead(deps, c, readLimits.line);
    if (access === 'visitor') {
      const identity = await findIdentity(deps, c);
      c.set('visitor', identity);
      c.set('guest', identity ? null : await findGuest(deps, c));
    } else if (access !== 'anyone') {
      const identity = await requirePermission(deps, c, access);
      c.set('identity', identity);
      if (proof === 'recent') requireRecentProof(deps, identity);
      if (limit?.by === 'user') await countRequest(deps, c, limit);
      else if (isRead) countRead(deps, c, readLimits.user);
      else await countRequest(deps, c, limits.act);
    }
    if (idempotent) idempotencyKey(c);
    await next();
  };
  rules.set(handler, { access, idempotent });
  return Object.assign(handler, {
    [uniqueSymbol]: Reflect.get(describeRoute(documentation(description)), uniqueSymbol),
  });
}

function documentation(description: Operation): Parameters<typeof describeRoute>[0] {
  const [status, schema] = description.answers;
  const { access } = description;
  const codes = [
    ...(description.problems ?? []),
    ...(access === 'anyone' ? [] : (['unauthenticated'] as const)),
    ...(access === 'anyone' || access === 'visitor' || access === 'take-part'
      ? []
      : (['forbidden'] as const)),
    'rate-limited' as const,
    ...(description.proof ? (['step-up-needed'] as const) : []),
    ...(description.idempotent ? (['missing-idempotency-key'] as const) : []),
    ...(description.problems?.includes('invalid-request') ? withInput : []),
    ...everywhere,
  ];
  const byStatus = Object.groupBy(new Set(codes), (code) => String(problemStatus(code)));
  const refusals = Object.entries(byStatus).map(([refusalStatus, group]) => [
    refusalStatus,
    {
      description: (group ?? []).map((code) => `\`${code}\`: ${problemTitle(code)}`).join('\n\n'),
      content: { 'application/problem+json': { schema: resolver(ProblemDocument) } },
    },
  ]);
  return {
    summary: description.summary,
    tags: [description.tag],
    ...(access === 'anyone'
      ? {}
      : { security: [{ bearer: [] }, ...(access === 'visitor' ? [{}] : [])] }),
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
  };
}
