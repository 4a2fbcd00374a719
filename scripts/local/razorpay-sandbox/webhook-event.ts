// The webhook events that were told, with their deliveries, found by any id that they are about.
import { z } from 'zod';
import { Channel } from './event.ts';

/** The oldest event is forgotten first, delivered or not. */
const eventsMax = 50_000;

export const Delivery = z.object({
  signature: z.string(),
  state: z.enum(['pending', 'delivered', 'lost', 'given-up', 'refused']),
  attempts: z.int(),
  /** The receiver's last answer; null when none came. */
  lastStatus: z.int().nullable(),
});
export type Delivery = z.infer<typeof Delivery>;

export const WebhookEvent = z.object({
  id: z.string(),
  name: z.string(),
  channel: Channel,
  /** The entity that the event is about, and the payment and order behind it. */
  entityId: z.string(),
  paymentId: z.string().nullable(),
  orderId: z.string().nullable(),
  /** The exact text that is posted and signed. */
  body: z.string(),
  deliveries: z.array(Delivery),
});
export type WebhookEvent = z.infer<typeof WebhookEvent>;

export interface WebhookEvents {
  add(event: WebhookEvent): void;
  find(id: string): WebhookEvent | undefined;
  /** The events of a payment, an order or any other entity, oldest first. */
  about(entityId: string): WebhookEvent[];
  all(): WebhookEvent[];
}

export function createWebhookEvents(restored: readonly WebhookEvent[]): WebhookEvents {
  const events = new Map<string, WebhookEvent>();
  const byEntity = new Map<string, WebhookEvent[]>();
  for (const event of restored) add(event);

  function add(event: WebhookEvent): void {
    events.set(event.id, event);
    for (const id of idsOf(event)) {
      const known = byEntity.get(id);
      if (known) known.push(event);
      else byEntity.set(id, [event]);
    }
    if (events.size <= eventsMax) return;
    const [oldest] = events.values();
    if (oldest) forget(oldest);
  }

  function forget(oldest: WebhookEvent): void {
    events.delete(oldest.id);
    for (const id of idsOf(oldest)) {
      const known = byEntity.get(id);
      // The oldest of all is the oldest of each of its entities.
      known?.shift();
      if (known?.length === 0) byEntity.delete(id);
    }
  }

  return {
    add,
    find: (id) => events.get(id),
    about: (entityId) => byEntity.get(entityId) ?? [],
    all: () => [...events.values()],
  };
}

function idsOf({ entityId, paymentId, orderId }: WebhookEvent): Set<string> {
  return new Set([entityId, paymentId, orderId].filter((id) => id !== null));
}
