// A receiver of webhooks for tests: keeps what came, and answers as it is told.
import { createHmac } from 'node:crypto';
import { listenLocally, readBody } from '../http.ts';

interface ReceivedWebhook {
  eventId: string;
  signature: string;
  raw: string;
  event: string;
}

export interface WebhookReceiver {
  url: string;
  received: ReceivedWebhook[];
  /** The status of each answer; 200 until it is changed. */
  answerWith(status: (webhook: ReceivedWebhook, count: number) => number): void;
  close(): Promise<void>;
}

/** Listens on a free port of the loopback address. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  let statusOf: (webhook: ReceivedWebhook, count: number) => number = () => 200;
  const listening = await listenLocally(async (request, response) => {
    const raw = await readBody(request, 1024 * 1024);
    const webhook = {
      eventId: String(request.headers['x-razorpay-event-id']),
      signature: String(request.headers['x-razorpay-signature']),
      raw,
      event: JSON.parse(raw).event,
    };
    received.push(webhook);
    response.writeHead(statusOf(webhook, received.length)).end();
  }, 0);
  return {
    url: `http://127.0.0.1:${listening.port}/webhooks/razorpay`,
    received,
    answerWith(status) {
      statusOf = status;
    },
    close: listening.close,
  };
}

/** The signature that a body carries when it is signed with `secret`. */
export function signed(raw: string, secret: string): string {
  return createHmac('sha256', secret).update(raw).digest('hex');
}
