// How requests are read: who sends them, their JSON, their lists, and what a control may say.
import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { equalSecrets } from '../equal-secrets.ts';
import type { ListQuery } from './entity-store.ts';
import { badField, GatewayRefusal } from './refusal.ts';

export type SandboxEnv = { Bindings: HttpBindings };

const listCountMax = 100;
const listCountDefault = 10;

/** Lets in who presents the key id and secret. */
export function basicAuth(keyId: string, keySecret: string): MiddlewareHandler<SandboxEnv> {
  const expected = Buffer.from(`${keyId}:${keySecret}`).toString('base64');
  return async (c, next) => {
    const given = /^Basic (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
    if (!equalSecrets(given, expected)) {
      throw new GatewayRefusal(401, { description: 'Authentication failed' });
    }
    await next();
  };
}

/** Reads a JSON body as Razorpay does: what is no JSON has no fields. */
export async function jsonBody(request: { json(): Promise<unknown> }): Promise<unknown> {
  try {
    return await request.json();
  } catch {
    return {};
  }
}

/**
 * Parses a whole body at once, as the sandbox's own routes do.
 * @throws GatewayRefusal that names the first field that does not fit.
 */
export function parse<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw badField(issue?.path.join('.') ?? '', issue?.message ?? 'The body is not valid.');
}

const ListQueryText = z.object({
  count: z.coerce.number().int().min(1).max(listCountMax).default(listCountDefault),
  skip: z.coerce.number().int().min(0).default(0),
  from: z.coerce.number().int().min(0).optional(),
  to: z.coerce.number().int().min(0).optional(),
});

/** @throws GatewayRefusal that names the first parameter that does not fit. */
export function listQuery(query: Record<string, string>): ListQuery {
  return parseQuery(ListQueryText, query);
}

/** @throws GatewayRefusal that names the first parameter that does not fit. */
export function parseQuery<T>(schema: z.ZodType<T>, query: Record<string, string>): T {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  const field = String(parsed.error.issues[0]?.path[0] ?? 'count');
  throw badField(field, `The ${field} is not valid.`);
}

/** A list, as Razorpay answers it. */
export const collection = (items: unknown[]) => ({
  entity: 'collection',
  count: items.length,
  items,
});
