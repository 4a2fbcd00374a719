// Webhooks: where the gateway tells what happened to payments, refunds, disputes and payouts.
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { markWebhookProcessed, openCase, recordWebhook } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { operation } from '../services/operation.ts';
import { noteSuspicion } from '../services/suspicion.ts';
import { applyWebhook, keptOf, parseWebhook, signedByGateway } from '../services/webhooks.ts';

/**
 * `refusal` is the code of a problem: the event was understood, kept, and could not be applied. The answer
 * is 200 all the same, since hearing it again would not mend it, and a gateway that hears anything else
 * for a day stops telling.
 */
const Received = z.object({
  received: z.literal(true),
  applied: z.boolean(),
  refusal: z.string().nullable(),
});

export function webhookRoutes(deps: Deps) {
  const { config } = deps;
  const documented = (summary: string) =>
    operation(deps, {
      summary,
      tag: 'Payments',
      // Its signature says who it is.
      access: 'anyone',
      answers: [200, Received],
      problems: ['invalid-signature', 'malformed-body', 'gateway-unavailable'],
    });
  return new Hono<AppEnv>()
    .post(
      '/razorpay',
      documented('For the payment gateway: what happened to a payment, refund or dispute'),
      (c) => receive(deps, c, config.RAZORPAY_WEBHOOK_SECRET),
    )
    .post('/razorpayx', documented('For the payment gateway: what happened to a payout'), (c) =>
      receive(deps, c, config.RAZORPAYX_WEBHOOK_SECRET ?? config.RAZORPAY_WEBHOOK_SECRET),
    );
}

async function receive(deps: Deps, c: Context<AppEnv>, secrets: readonly string[]) {
  const raw = new Uint8Array(await c.req.arrayBuffer());
  const signature = c.req.header('x-razorpay-signature') ?? '';
  if (!(await signedByGateway(secrets, raw, signature))) {
    await noteSuspicion(deps, c, 'webhook.forged-signature', { bytes: raw.length });
    throw problem('invalid-signature');
  }
  deps.failpoint('webhook.signature-checked');
  const webhook = parseWebhook(raw);
  const gatewayEventId = c.req.header('x-razorpay-event-id');
  if (!gatewayEventId) throw problem('malformed-body');
  const type = webhook.event;
  const fresh = await recordWebhook(deps.db, { gatewayEventId, type, body: keptOf(webhook) });
  deps.failpoint('webhook.recorded');
  if (!fresh) return c.json({ received: true as const, applied: true, refusal: null }, 200);

  const refusal = await applyWebhook(deps, webhook);
  deps.failpoint('webhook.applied');
  await markWebhookProcessed(deps.db, gatewayEventId, refusal);
  deps.failpoint('webhook.marked');
  if (refusal !== null) {
    c.var.log.error('webhook refused', { event: type, gatewayEventId, refusal });
    await openCase(deps.db, {
      kind: 'webhook-refused',
      // Of a kind that is not known here many may come, and one look is enough for all.
      subject: refusal === 'unknown-event' ? type : gatewayEventId,
      details: { event: type, refusal, gatewayEventId },
    });
    deps.failpoint('webhook.case-opened');
    if (refusal === 'payment-mismatch') {
      await noteSuspicion(deps, c, 'webhook.payment-mismatch', { gatewayEventId });
    }
  }
  return c.json({ received: true as const, applied: refusal === null, refusal }, 200);
}
