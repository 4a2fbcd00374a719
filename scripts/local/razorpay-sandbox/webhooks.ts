// Webhooks: every event signed and posted until it is taken, with the faults that are switched on.
import { createHmac } from 'node:crypto';
import type { Logger } from 'pino';
import { z } from 'zod';
import { newEntityId } from './entities.ts';
import type { FaultSwitch } from './faults.ts';
import type { GatewayEvent } from './gateway.ts';

/** Events whose deliveries can be looked at; the oldest is forgotten first, delivered or not. */
const eventsMax = 20_000;
const deliveryAttemptsMax = 15;
/** Whoever asks for more is refused. */
const deliveriesPerEventMax = 100;
const retryDelayMaxMs = 60_000;
const deliveriesInFlightMax = 32;
/** A receiver that has not answered by then has not taken the event. */
const answerTimeoutMs = 5_000;

const Delivery = z.object({
  signature: z.string(),
  state: z.enum(['pending', 'delivered', 'lost', 'given-up']),
  attempts: z.int(),
  /** The receiver's last answer; null when none came. */
  lastStatus: z.int().nullable(),
});
type Delivery = z.infer<typeof Delivery>;

export const WebhookEvent = z.object({
  id: z.string(),
  name: z.string(),
  orderId: z.string(),
  paymentId: z.string(),
  /** The exact text that is posted and signed. */
  body: z.string(),
  deliveries: z.array(Delivery),
});
export type WebhookEvent = z.infer<typeof WebhookEvent>;

export interface Webhooks {
  publish(event: GatewayEvent): void;
  /** Delivers an event again, `copies` times; false when there is no such event, or it was often enough. */
  deliverAgain(eventId: string, copies: number): boolean;
  events(): WebhookEvent[];
  readonly pending: number;
  /** Resolves when nothing is waiting to be delivered, or after `timeoutMs`. */
  settled(timeoutMs: number): Promise<boolean>;
  close(): void;
}

/** Posts events to `url`; without one they are only listed. */
export function createWebhooks(options: {
  url: string | null;
  secret: string;
  accountId: string;
  events: WebhookEvent[];
  faults: FaultSwitch;
  /** The first retry's delay; it doubles up to `retryDelayMaxMs`. */
  retryBaseMs: number;
  now: () => Date;
  onChange: () => void;
  log: Logger;
}): Webhooks {
  const { url, faults, log } = options;
  const events = new Map(options.events.map((event) => [event.id, event]));
  const timers = new Set<NodeJS.Timeout>();
  const ready: (() => Promise<void>)[] = [];
  const waiters = new Set<() => void>();
  const closing = new AbortController();
  let inFlight = 0;
  let pending = 0;

  function schedule(event: WebhookEvent, delivery: Delivery, delayMs: number): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      ready.push(() => attempt(event, delivery));
      pump();
    }, delayMs);
    timers.add(timer);
  }

  function pump(): void {
    while (inFlight < deliveriesInFlightMax) {
      const next = ready.shift();
      if (!next) return;
      inFlight += 1;
      next().finally(() => {
        inFlight -= 1;
        pump();
      });
    }
  }

  async function attempt(event: WebhookEvent, delivery: Delivery): Promise<void> {
    if (url === null || closing.signal.aborted) return;
    delivery.attempts += 1;
    delivery.lastStatus = await post(url, event, delivery.signature);
    if (closing.signal.aborted) return;
    const taken = delivery.lastStatus !== null && Math.floor(delivery.lastStatus / 100) === 2;
    const fields = { event: event.name, eventId: event.id, status: delivery.lastStatus };
    if (taken) {
      log.info(fields, 'webhook delivered');
      finish(delivery, 'delivered');
    } else if (delivery.attempts >= deliveryAttemptsMax) {
      log.warn(fields, 'webhook given up');
      finish(delivery, 'given-up');
    } else {
      const delayMs = Math.min(options.retryBaseMs * 2 ** (delivery.attempts - 1), retryDelayMaxMs);
      log.info({ ...fields, delayMs }, 'webhook not taken; it will be sent again');
      schedule(event, delivery, delayMs);
    }
    options.onChange();
  }

  async function post(to: string, event: WebhookEvent, signature: string): Promise<number | null> {
    try {
      const answer = await fetch(to, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Razorpay-Webhook/v1',
          'x-razorpay-signature': signature,
          'x-razorpay-event-id': event.id,
        },
        body: event.body,
        redirect: 'manual',
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(answerTimeoutMs)]),
      });
      await answer.body?.cancel();
      return answer.status;
    } catch {
      // Nobody there, or no answer in time: the same as a refusal, to be tried again.
      return null;
    }
  }

  function finish(delivery: Delivery, state: Delivery['state']): void {
    delivery.state = state;
    pending -= 1;
    if (pending > 0) return;
    for (const resolve of waiters) resolve();
    waiters.clear();
  }

  function deliver(event: WebhookEvent, copies: number): void {
    const { webhooks } = faults.current;
    // Signed now: a retry after a change of the secret still carries the old one.
    const signature = createHmac('sha256', webhooks.secret ?? options.secret)
      .update(event.body)
      .digest('hex');
    for (let copy = 0; copy < copies; copy += 1) {
      const delivery: Delivery = { signature, state: 'pending', attempts: 0, lastStatus: null };
      event.deliveries.push(delivery);
      if (faults.chance() < webhooks.dropRate) {
        delivery.state = 'lost';
        continue;
      }
      if (url === null) continue;
      pending += 1;
      schedule(
        event,
        delivery,
        webhooks.delayMs + Math.floor(faults.chance() * webhooks.shuffleMs),
      );
    }
  }

  for (const event of events.values()) {
    for (const delivery of event.deliveries) {
      if (delivery.state !== 'pending' || url === null) continue;
      pending += 1;
      schedule(event, delivery, 0);
    }
  }

  return {
    publish({ name, payment, order }) {
      const event: WebhookEvent = {
        id: newEntityId('evt').slice('evt_'.length),
        name,
        orderId: payment.order_id,
        paymentId: payment.id,
        body: JSON.stringify({
          entity: 'event',
          account_id: options.accountId,
          event: name,
          contains: order ? ['payment', 'order'] : ['payment'],
          payload: {
            payment: { entity: payment },
            ...(order ? { order: { entity: order } } : {}),
          },
          created_at: Math.floor(options.now().getTime() / 1000),
        }),
        deliveries: [],
      };
      events.set(event.id, event);
      const [oldest] = events.keys();
      if (events.size > eventsMax && oldest) events.delete(oldest);
      deliver(event, faults.current.webhooks.copies);
      options.onChange();
    },
    deliverAgain(eventId, copies) {
      const event = events.get(eventId);
      if (!event || event.deliveries.length + copies > deliveriesPerEventMax) return false;
      deliver(event, copies);
      options.onChange();
      return true;
    },
    events: () => [...events.values()],
    get pending() {
      return pending;
    },
    settled(timeoutMs) {
      if (pending === 0) return Promise.resolve(true);
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          resolve(true);
        };
        const timer = setTimeout(() => {
          waiters.delete(done);
          resolve(false);
        }, timeoutMs);
        waiters.add(done);
      });
    },
    close() {
      closing.abort();
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      ready.length = 0;
    },
  };
}
