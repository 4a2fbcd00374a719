// Operations: what a route is, who may call it and how often; kept to, and told in the OpenAPI document.
import type { MiddlewareHandler } from 'hono';
import { describeRoute, resolver, uniqueSymbol } from 'hono-openapi';
import type { z } from 'zod';
import {
  isOfStaff,
  isPermitted,
  isStaff,
  type Permission,
  type ProblemCode,
  ProblemDocument,
  problemStatus,
  problemTitle,
  problemType,
} from '#contract';
import type { AppEnv, Deps } from '../deps.ts';
import {
  findIdentity,
  idempotencyKey,
  type Proof,
  requirePermission,
  requireProof,
} from './access.ts';
import { findGuest } from './guests.ts';
import { countRead, countRequest, limits, type RateLimit, readLimits } from './rate-limit.ts';

/** Nobody looks who `anyone` is; a `visitor` need not say it, and is known where they do. */
export type Access = 'anyone' | 'visitor' | Permission;

interface Operation {
  summary: string;
  tag: string;
  /** Who may call it. */
  access: Access;
  /** What it answers when it succeeds: a body of a schema, a file of one of these media types, or null for nothing. */
  answers: readonly [status: 200 | 201 | 202 | 204, body: z.ZodType | readonly string[] | null];
  /** The media type of its body, where that is not JSON. */
  takes?: string;
  /** The refusals that are its own; those of every route are added. */
  problems?: readonly ProblemCode[];
  /** How lately a second factor must have been shown in this session. Staff have to have shown one for whatever they do. */
  proof?: Proof;
  limit?: RateLimit;
  /** Whether it answers 304 to whoever has what it would answer. */
  mayBeUnchanged?: boolean;
  /** Whether a key says which act is meant, so that a retry does nothing twice. */
  idempotent?: boolean;
}

/** Bodies are looked at before a route is found, also those that nobody asked for. */
const everywhere: readonly ProblemCode[] = [
  'body-too-large',
  'unsupported-media-type',
  'untrusted-origin',
  'internal',
  'unavailable',
];

/** What the permission table says of a route. */
export interface Rule {
  access: Access;
  proof: Proof | null;
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
  const { access, limit, idempotent = false } = description;
  const proof = proofOf(description);
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
      const staffActs = !isRead && access !== 'keep-account' && isStaff(identity.role);
      const asked = proof ?? (staffActs ? 'today' : null);
      if (asked) requireProof(deps, identity, asked);
      if (limit?.by === 'user') await countRequest(deps, c, limit);
      else if (isRead) countRead(deps, c, readLimits.user);
      else await countRequest(deps, c, limits.act);
    }
    if (idempotent) idempotencyKey(c);
    await next();
  };
  rules.set(handler, { access, proof, idempotent });
  return Object.assign(handler, {
    [uniqueSymbol]: Reflect.get(describeRoute(documentation(description)), uniqueSymbol),
  });
}

function proofOf({ access, proof }: Operation): Proof | null {
  if (proof) return proof;
  return access !== 'anyone' && access !== 'visitor' && isOfStaff(access) ? 'today' : null;
}

/** Staff are asked for one wherever they act. */
function mayNeedProof(description: Operation): boolean {
  const { access } = description;
  const isOfSomebody = access !== 'anyone' && access !== 'visitor';
  return proofOf(description) !== null || (isOfSomebody && access !== 'keep-account');
}

function contentOf(body: z.ZodType | readonly string[]) {
  if ('length' in body) return Object.fromEntries(body.map((mediaType) => [mediaType, {}]));
  return { 'application/json': { schema: resolver(body) } };
}

const exampleOf = (code: ProblemCode) => ({
  type: problemType(code),
  code,
  title: problemTitle(code),
  status: problemStatus(code),
});

function documentation(description: Operation): Parameters<typeof describeRoute>[0] {
  const [status, body] = description.answers;
  const { access } = description;
  const codes = [
    ...(description.problems ?? []),
    ...(access === 'anyone' ? [] : (['unauthenticated'] as const)),
    ...(access === 'anyone' || access === 'visitor' || isPermitted('viewer', access)
      ? []
      : (['forbidden'] as const)),
    'rate-limited' as const,
    ...(mayNeedProof(description) ? (['step-up-needed'] as const) : []),
    ...(description.idempotent ? (['missing-idempotency-key'] as const) : []),
    // Whoever checks a request's fields may get a body that has none.
    ...(description.problems?.includes('invalid-request') ? (['malformed-body'] as const) : []),
    ...everywhere,
  ];
  const byStatus = Object.groupBy(new Set(codes), (code) => String(problemStatus(code)));
  const refusals = Object.entries(byStatus).map(([refusalStatus, group]) => [
    refusalStatus,
    {
      description: (group ?? []).map((code) => `\`${code}\`: ${problemTitle(code)}`).join('\n\n'),
      content: {
        'application/problem+json': {
          schema: resolver(ProblemDocument),
          examples: Object.fromEntries(
            (group ?? []).map((code) => [code, { value: exampleOf(code) }]),
          ),
        },
      },
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
    ...(description.takes
      ? {
          requestBody: {
            required: true,
            content: { [description.takes]: { schema: { type: 'string' } } },
          },
        }
      : {}),
    responses: {
      [String(status)]: {
        description: body ? 'Done' : 'Done; no body',
        ...(body ? { content: contentOf(body) } : {}),
      },
      ...(description.mayBeUnchanged ? { 304: { description: 'Unchanged; no body' } } : {}),
      ...Object.fromEntries(refusals),
    },
  };
}
