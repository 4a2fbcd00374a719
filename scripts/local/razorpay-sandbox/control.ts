// The controls of the sandbox, for tests and development: switch faults, pay without a browser, look at webhooks.
import { Hono, type MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { jsonBody, type SandboxEnv } from './api.ts';
import { PaymentMethod } from './entities.ts';
import { type FaultSwitch, FaultsPatch, webhookCopiesMax } from './faults.ts';
import type { Gateway } from './gateway.ts';
import { badField } from './refusal.ts';
import type { Webhooks } from './webhooks.ts';

const settledTimeoutMsMax = 60_000;

const PayBody = z.strictObject({
  outcome: z.enum(['success', 'failure']).default('success'),
  method: PaymentMethod.default('upi'),
});
const DeliverBody = z.strictObject({ copies: z.int().min(1).max(webhookCopiesMax).default(1) });

function parse<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw badField(issue?.path.join('.') ?? '', issue?.message ?? 'The body is not valid.');
}

/** The routes under `/sandbox`; they need the secret as the REST API does. */
export function createControl(
  parts: { gateway: Gateway; faults: FaultSwitch; webhooks: Webhooks },
  auth: MiddlewareHandler<SandboxEnv>,
) {
  const { gateway, faults, webhooks } = parts;
  const control = new Hono<SandboxEnv>();
  control.use(auth);

  control.get('/faults', (c) => c.json(faults.current));
  control.post('/faults', async (c) =>
    c.json(faults.change(parse(FaultsPatch, await jsonBody(c.req)))),
  );
  control.delete('/faults', (c) => c.json(faults.reset()));

  control.post('/orders/:id/pay', async (c) => {
    const attempt = parse(PayBody, await jsonBody(c.req));
    const payment = gateway.pay(c.req.param('id'), attempt);
    return c.json({
      payment,
      receipt: payment.status === 'failed' ? null : gateway.receiptOf(payment),
    });
  });

  control.get('/events', (c) => {
    const orderId = c.req.query('order_id');
    const events = webhooks.events().filter((event) => !orderId || event.orderId === orderId);
    return c.json({ pending: webhooks.pending, events });
  });
  control.post('/events/:id/deliver', async (c) => {
    const { copies } = parse(DeliverBody, await jsonBody(c.req));
    if (!webhooks.deliverAgain(c.req.param('id'), copies)) {
      throw badField('id', 'There is no such event, or it was delivered often enough');
    }
    return c.json({ pending: webhooks.pending });
  });
  /** Answers when no webhook is waiting, or after `timeout_ms`. */
  control.get('/settled', async (c) => {
    const { timeout_ms: timeoutMs } = parse(
      z.object({
        timeout_ms: z.coerce.number().int().min(0).max(settledTimeoutMsMax).default(10_000),
      }),
      c.req.query(),
    );
    return c.json({ settled: await webhooks.settled(timeoutMs), pending: webhooks.pending });
  });
  return control;
}
