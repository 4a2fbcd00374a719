// The REST API that the `razorpay` package speaks: orders and payments behind Basic authentication.
import type { HttpBindings } from '@hono/node-server';
import { Hono, type MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { equalSecrets } from '../equal-secrets.ts';
import type { FaultSwitch } from './faults.ts';
import type { Gateway, ListQuery } from './gateway.ts';
import { parseOrderRequest } from './order-request.ts';
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

/** Answers late, or carries the request out and cuts the connection, when these faults are on. */
function answerFaults(faults: FaultSwitch): MiddlewareHandler<SandboxEnv> {
  return async (c, next) => {
    const { delayMs, cutRate } = faults.current.answers;
    const cut = faults.chance() < cutRate;
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    await next();
    if (cut) c.env.outgoing.destroy();
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

/** What is no object has no fields either. */
const CaptureBody = z
  .looseObject({ amount: z.unknown().optional(), currency: z.unknown().optional() })
  .catch({});

const collection = (items: unknown[]) => ({ entity: 'collection', count: items.length, items });

function listQuery(query: Record<string, string>): ListQuery {
  const parsed = z
    .object({
      count: z.coerce.number().int().min(1).max(listCountMax).default(listCountDefault),
      skip: z.coerce.number().int().min(0).default(0),
      from: z.coerce.number().int().min(0).optional(),
      to: z.coerce.number().int().min(0).optional(),
    })
    .safeParse(query);
  if (parsed.success) return parsed.data;
  const field = String(parsed.error.issues[0]?.path[0] ?? 'count');
  throw badField(field, `The ${field} is not valid.`);
}

/** The routes under `/v1` that need the secret. */
export function createApi(
  gateway: Gateway,
  faults: FaultSwitch,
  auth: MiddlewareHandler<SandboxEnv>,
) {
  const api = new Hono<SandboxEnv>();
  api.use(auth, answerFaults(faults));
  api.post('/orders', async (c) => {
    return c.json(gateway.createOrder(parseOrderRequest(await jsonBody(c.req))));
  });
  api.get('/orders', (c) => c.json(collection(gateway.listOrders(listQuery(c.req.query())))));
  api.get('/orders/:id', (c) => c.json(gateway.order(c.req.param('id'))));
  api.get('/orders/:id/payments', (c) =>
    c.json(collection(gateway.paymentsOf(c.req.param('id')).toReversed())),
  );
  api.get('/payments', (c) => c.json(collection(gateway.listPayments(listQuery(c.req.query())))));
  api.get('/payments/:id', (c) => c.json(gateway.payment(c.req.param('id'))));
  api.post('/payments/:id/capture', async (c) => {
    const { amount, currency } = CaptureBody.parse(await jsonBody(c.req));
    return c.json(gateway.capture(c.req.param('id'), amount, currency));
  });
  return api;
}
