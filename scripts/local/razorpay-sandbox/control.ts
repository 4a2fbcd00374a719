// The controls of the sandbox, for tests and development: faults, the clock, webhooks, and what buyers and banks do.
import { Hono, type MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { DisputePhase, DisputeStep } from './disputes.ts';
import { PaymentMethod } from './entities.ts';
import { Falsification } from './falsification.ts';
import { FaultsPatch, webhookCopiesMax } from './faults.ts';
import { createPayoutControl } from './payouts/control.ts';
import { badField } from './refusal.ts';
import { jsonBody, parse, type SandboxEnv } from './request.ts';
import type { SandboxParts } from './sandbox-parts.ts';

const settledTimeoutMsMax = 60_000;
/** Ten years. */
const clockOffsetSecondsMax = 315_360_000;
const respondDaysDefault = 7;
const deliveriesMax = 100;

const PayBody = z.strictObject({
  outcome: z.enum(['success', 'failure', 'open']).default('success'),
  method: PaymentMethod.default('upi'),
});
const ApproveBody = z.strictObject({ vpa: z.string().max(100).optional() });
const DeliverBody = z.strictObject({ copies: z.int().min(1).max(webhookCopiesMax).default(1) });
const DeliverInOrderBody = z.strictObject({ ids: z.array(z.string()).min(1).max(deliveriesMax) });
const ClockBody = z.strictObject({
  offsetSeconds: z.int().min(-clockOffsetSecondsMax).max(clockOffsetSecondsMax),
});
const RefundBody = z.strictObject({ status: z.enum(['processed', 'failed']) });
const DisputeBody = z.strictObject({
  phase: DisputePhase.default('chargeback'),
  reason_code: z.string().min(1).max(100).default('goods_or_services_not_received'),
  amount: z.int().min(1).nullable().default(null),
  amount_deducted: z.int().min(0).default(0),
  respond_by: z.int().min(0).optional(),
});
const DisputeStepBody = z.strictObject({ status: DisputeStep });
const SettledQuery = z.object({
  timeout_ms: z.coerce.number().int().min(0).max(settledTimeoutMsMax).default(10_000),
});

/** The routes under `/sandbox`; they need the secret as the REST API does. */
export function createControl(parts: SandboxParts, auth: MiddlewareHandler<SandboxEnv>) {
  const control = new Hono<SandboxEnv>();
  control.use(auth);
  control.route('/', createSwitches(parts));
  control.route('/', createEventControl(parts));
  control.route('/', createPaymentControl(parts));
  control.route('/', createPayoutControl(parts));
  return control;
}

function createSwitches({ faults, clock, pending }: SandboxParts) {
  const time = () => ({
    offsetSeconds: clock.offsetSeconds,
    now: clock.now().toISOString(),
  });
  return (
    new Hono<SandboxEnv>()
      .get('/faults', (c) => c.json(faults.current))
      .post('/faults', async (c) =>
        c.json(faults.change(parse(FaultsPatch, await jsonBody(c.req)))),
      )
      .delete('/faults', (c) => c.json(faults.reset()))

      .get('/clock', (c) => c.json(time()))
      .post('/clock', async (c) => {
        clock.move(parse(ClockBody, await jsonBody(c.req)).offsetSeconds);
        return c.json(time());
      })
      .delete('/clock', (c) => {
        clock.move(0);
        return c.json(time());
      })

      /** Answers when nothing happens by itself any more, or after `timeout_ms`. */
      .get('/settled', async (c) => {
        const { timeout_ms: timeoutMs } = parse(SettledQuery, c.req.query());
        return c.json({ settled: await pending.settled(timeoutMs), pending: pending.count });
      })
  );
}

function createEventControl({ webhooks, pending }: SandboxParts) {
  return (
    new Hono<SandboxEnv>()
      .get('/events', (c) => {
        const { entity_id, payment_id, order_id, name } = c.req.query();
        const id = entity_id ?? payment_id ?? order_id;
        const events = (id ? webhooks.about(id) : webhooks.events()).filter(
          (event) => !name || event.name === name,
        );
        return c.json({ pending: pending.count, events });
      })
      /** Delivers these events in this order, each after the answer to the one before, with no retries. */
      .post('/events/deliver', async (c) => {
        const { ids } = parse(DeliverInOrderBody, await jsonBody(c.req));
        const missing = ids.find((id) => !webhooks.find(id));
        if (missing) throw badField('ids', `There is no event ${missing}`);
        const statuses: (number | null)[] = [];
        for (const id of ids) statuses.push(await webhooks.deliverNow(id));
        return c.json({ statuses });
      })
      .post('/events/:id/deliver', async (c) => {
        const { copies } = parse(DeliverBody, await jsonBody(c.req));
        if (!webhooks.deliverAgain(c.req.param('id'), copies)) {
          throw badField('id', 'There is no such event, or it was delivered often enough');
        }
        return c.json({ pending: pending.count });
      })
  );
}

function createPaymentControl(parts: SandboxParts) {
  const { gateway, refunds, disputes, settlements, clock } = parts;
  return new Hono<SandboxEnv>()
    .post('/orders/:id/pay', async (c) => {
      const { outcome, method } = parse(PayBody, await jsonBody(c.req));
      const orderId = c.req.param('id');
      const payment =
        outcome === 'open'
          ? gateway.open(orderId, { method })
          : gateway.pay(orderId, outcome, { method });
      return c.json({
        payment,
        receipt: outcome === 'success' ? gateway.receiptOf(payment) : null,
      });
    })
    .post('/payments/:id/approve', async (c) => {
      const { vpa } = parse(ApproveBody, await jsonBody(c.req));
      const payment = gateway.approve(c.req.param('id'), vpa);
      return c.json({ payment, receipt: gateway.receiptOf(payment) });
    })
    .post('/payments/:id/decline', (c) =>
      c.json({ payment: gateway.abandon(c.req.param('id'), 'cancelled') }),
    )
    .post('/payments/:id/expire', (c) =>
      c.json({ payment: gateway.abandon(c.req.param('id'), 'timed-out') }),
    )
    .post('/payments/:id/authorize-late', (c) => {
      const payment = gateway.authorizeLate(c.req.param('id'));
      return c.json({ payment, receipt: gateway.receiptOf(payment) });
    })

    .post('/refunds/:id/end', async (c) => {
      const { status } = parse(RefundBody, await jsonBody(c.req));
      const id = c.req.param('id');
      if (!refunds.end(id, status)) {
        throw badField('status', `The refund is ${refunds.refund(id).status}`);
      }
      return c.json(refunds.refund(id));
    })

    .post('/payments/:id/disputes', async (c) => {
      const opening = parse(DisputeBody, await jsonBody(c.req));
      const respond_by = opening.respond_by ?? clock.nowSeconds() + respondDaysDefault * 86_400;
      return c.json(disputes.open(c.req.param('id'), { ...opening, respond_by }));
    })
    .post('/disputes/:id/step', async (c) => {
      const { status } = parse(DisputeStepBody, await jsonBody(c.req));
      return c.json(disputes.step(c.req.param('id'), status));
    })

    .get('/settlements/waiting', (c) => c.json({ items: settlements.waiting() }))
    .post('/settlements', async (c) =>
      c.json(settlements.settle(parse(Falsification, await jsonBody(c.req)))),
    );
}
