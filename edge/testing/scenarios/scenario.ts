// Scenarios: acts on the paths of money that end the same, whether their process was killed on the way or not.
import { createHmac } from 'node:crypto';
import {
  type Answer,
  payoutWebhookSecret,
  type TestEdge,
  webhookSecret,
} from '../../../testing/edge.ts';
import type { Failpoint } from '../../services/failpoints.ts';
import type { Cast, Member } from '../cast.ts';

export interface World {
  edge: TestEdge;
  cast: Cast;
}

/** One request to an edge that may die of it. */
export type Send = (
  who: Member | null,
  method: string,
  path: string,
  options?: { body?: unknown; headers?: Record<string, string> },
) => Promise<Answer>;

export interface Run {
  /** A request, which a retry sends once more just as it was; or a round of a job, by its name. */
  act: ((send: Send) => Promise<Answer>) | string;
  /** What is there afterwards. */
  end(): Promise<unknown>;
}

export interface Scenario {
  /** The failpoints that it comes by. */
  points: readonly Failpoint[];
  /** How it ends. */
  ends: unknown;
  /** Everything before the act, with people of its own. */
  begin(): Promise<Run>;
}

const webhookSecrets = { razorpay: webhookSecret, razorpayx: payoutWebhookSecret };

/** A webhook as the gateway sends it, until it is taken. */
export const deliver =
  (event: { id: string; body: string }, from: keyof typeof webhookSecrets = 'razorpay') =>
  (send: Send): Promise<Answer> =>
    send(null, 'POST', `/v1/payments/webhooks/${from}`, {
      body: event.body,
      headers: {
        'x-razorpay-event-id': event.id,
        'x-razorpay-signature': createHmac('sha256', webhookSecrets[from])
          .update(event.body)
          .digest('hex'),
      },
    });

/** An event of an entity that the gateway has not been able to tell. */
export async function eventOf(edge: TestEdge, entityId: string, name: string) {
  const [event] = await edge.control.events(entityId, name);
  if (!event) throw new Error(`the gateway tells no ${name} of ${entityId}`);
  return event;
}

/** Everything that waits for its turn has it now. */
export async function makeAllDue({ database }: TestEdge): Promise<void> {
  for (const statement of [
    `update orders set check_at = now() - interval '1 second' where state <> 'paid' and check_at is not null`,
    'update payouts set next_attempt_at = now() where next_attempt_at is not null',
    'update refunds set next_attempt_at = now() where next_attempt_at is not null',
    `update payout_accounts set next_attempt_at = now() where state = 'pending'`,
  ]) {
    await database.asOwner(statement);
  }
}
