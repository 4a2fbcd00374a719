// Webhooks: every event signed and posted until it is taken, with the faults that are switched on.
import { createHmac } from 'node:crypto';
import type { Logger } from 'pino';
import { newEntityId } from './entity-id.ts';
import { type Channel, channelOf, type EventName, type Publish } from './event.ts';
import type { FaultSwitch } from './faults.ts';
import type { Pending } from './pending.ts';
import { createWebhookEvents, type Delivery, type WebhookEvent } from './webhook-event.ts';

const deliveryAttemptsMax = 15;
/** Whoever asks for more is refused. */
const deliveriesPerEventMax = 100;
const retryDelayMaxMs = 60_000;
const deliveriesInFlightMax = 32;
/** A receiver that has not answered by then has not taken the event. */
const answerTimeoutMs = 5_000;

/** Where the events of a channel go; without an address they are only listed. */
export interface WebhookTarget {
  url: string | null;
  secret: string;
}

export interface Webhooks {
  publish: Publish;
  /** Delivers an event again, `copies` times; false when there is no such event, or it was often enough. */
  deliverAgain(eventId: string, copies: number): boolean;
  /** Posts an event once, now, and waits for the answer; null when none came or there is no such event. */
  deliverNow(eventId: string): Promise<number | null>;
  find(eventId: string): WebhookEvent | undefined;
  about(entityId: string): WebhookEvent[];
  events(): WebhookEvent[];
  close(): void;
}

export function createWebhooks(options: {
  targets: Record<Channel, WebhookTarget>;
  accountId: string;
  events: readonly WebhookEvent[];
  faults: FaultSwitch;
  pending: Pending;
  /** The first retry's delay; it doubles up to `retryDelayMaxMs`. */
  retryBaseMs: number;
  nowSeconds: () => number;
  onChange: () => void;
  log: Logger;
}): Webhooks {
  const { targets, faults, pending, log } = options;
  const events = createWebhookEvents(options.events);
  const timers = new Set<NodeJS.Timeout>();
  /** A set, because taking the first of a long array would move all others. */
  const ready = new Set<() => Promise<void>>();
  const closing = new AbortController();
  let inFlight = 0;

  function schedule(event: WebhookEvent, delivery: Delivery, delayMs: number): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      ready.add(() => attempt(event, delivery));
      pump();
    }, delayMs);
    timers.add(timer);
  }

  function pump(): void {
    for (const next of ready) {
      if (inFlight >= deliveriesInFlightMax) return;
      ready.delete(next);
      inFlight += 1;
      next().finally(() => {
        inFlight -= 1;
        pump();
      });
    }
  }

  async function attempt(event: WebhookEvent, delivery: Delivery): Promise<void> {
    await post(event, delivery);
    if (closing.signal.aborted) return;
    const fields = { event: event.name, eventId: event.id, status: delivery.lastStatus };
    if (isTaken(delivery)) {
      log.info(fields, 'webhook delivered');
      delivery.state = 'delivered';
      pending.end();
    } else if (delivery.attempts >= deliveryAttemptsMax) {
      log.warn(fields, 'webhook given up');
      delivery.state = 'given-up';
      pending.end();
    } else {
      const delayMs = Math.min(options.retryBaseMs * 2 ** (delivery.attempts - 1), retryDelayMaxMs);
      log.info({ ...fields, delayMs }, 'webhook not taken; it will be sent again');
      schedule(event, delivery, delayMs);
    }
    options.onChange();
  }

  async function post(event: WebhookEvent, delivery: Delivery): Promise<void> {
    const { url } = targets[event.channel];
    if (url === null || closing.signal.aborted) return;
    delivery.attempts += 1;
    delivery.lastStatus = null;
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Razorpay-Webhook/v1',
          'x-razorpay-signature': delivery.signature,
          'x-razorpay-event-id': event.id,
        },
        body: event.body,
        redirect: 'manual',
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(answerTimeoutMs)]),
      });
      await answer.body?.cancel();
      delivery.lastStatus = answer.status;
    } catch {
      // Nobody there, or no answer in time: the same as a refusal, to be tried again.
    }
  }

  /** Signed now: a retry after a change of the secret still carries the old one. */
  function newDelivery(event: WebhookEvent): Delivery {
    const faulty = faults.webhooksOf(event.name);
    const signature = createHmac('sha256', faulty.secret ?? targets[event.channel].secret)
      .update(event.body)
      .digest('hex');
    const delivery: Delivery = { signature, state: 'pending', attempts: 0, lastStatus: null };
    event.deliveries.push(delivery);
    return delivery;
  }

  function deliver(event: WebhookEvent, copies: number): void {
    const { dropRate, delayMs, shuffleMs } = faults.webhooksOf(event.name);
    for (let copy = 0; copy < copies; copy += 1) {
      const delivery = newDelivery(event);
      if (faults.chance() < dropRate) {
        delivery.state = 'lost';
        continue;
      }
      if (targets[event.channel].url === null) continue;
      pending.begin();
      schedule(event, delivery, delayMs + Math.floor(faults.chance() * shuffleMs));
    }
  }

  function copiesOf(name: EventName): number {
    const { mode, copies, extraCopies } = faults.webhooksOf(name);
    if (mode === 'manual') return 0;
    return copies + Math.floor(faults.chance() * (extraCopies + 1));
  }

  for (const event of events.all()) {
    for (const delivery of event.deliveries) {
      if (delivery.state !== 'pending' || targets[event.channel].url === null) continue;
      pending.begin();
      schedule(event, delivery, 0);
    }
  }

  return {
    publish({ name, payload, about }) {
      const contained = Object.entries(payload).map(([key, entity]) => [key, { entity }] as const);
      const event: WebhookEvent = {
        id: newEntityId('evt').slice('evt_'.length),
        name,
        channel: channelOf(name),
        entityId: about.entityId,
        paymentId: about.paymentId ?? null,
        orderId: about.orderId ?? null,
        // Written now: a snapshot of the entities as they were when the event happened.
        body: JSON.stringify({
          entity: 'event',
          account_id: options.accountId,
          event: name,
          contains: Object.keys(payload),
          payload: Object.fromEntries(contained),
          created_at: options.nowSeconds(),
        }),
        deliveries: [],
      };
      events.add(event);
      deliver(event, copiesOf(name));
      options.onChange();
    },
    deliverAgain(eventId, copies) {
      const event = events.find(eventId);
      if (!event || event.deliveries.length + copies > deliveriesPerEventMax) return false;
      deliver(event, copies);
      options.onChange();
      return true;
    },
    async deliverNow(eventId) {
      const event = events.find(eventId);
      if (!event || event.deliveries.length >= deliveriesPerEventMax) return null;
      const delivery = newDelivery(event);
      await post(event, delivery);
      delivery.state = isTaken(delivery) ? 'delivered' : 'refused';
      options.onChange();
      return delivery.lastStatus;
    },
    find: events.find,
    about: events.about,
    events: events.all,
    close() {
      closing.abort();
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      ready.clear();
    },
  };
}

function isTaken({ lastStatus }: Delivery): boolean {
  return lastStatus !== null && Math.floor(lastStatus / 100) === 2;
}
