// The payment gateway: Razorpay, through its official package; its address decides whether it is the real one.
import Razorpay from 'razorpay';
import { z } from 'zod';
import { problem } from '../problem.ts';

/** An answer that has not come by then counts as none. */
const answerTimeoutMs = 8_000;

/** A payment as the gateway's API and its webhooks show it. */
export const GatewayPayment = z.looseObject({
  id: z.string(),
  order_id: z.string().nullable(),
  amount: z.coerce.number().int(),
  currency: z.string(),
  status: z.enum(['created', 'authorized', 'captured', 'refunded', 'failed']),
});
export type GatewayPayment = z.infer<typeof GatewayPayment>;

export interface PaymentGateway {
  /** Opens an order; `receipt` is our own order id. Throws `gateway-unavailable`. */
  createOrder(order: { amountPaise: number; receipt: string }): Promise<{ gatewayOrderId: string }>;
  /** A payment by its id; null when the gateway knows none. Throws `gateway-unavailable`. */
  fetchPayment(gatewayPaymentId: string): Promise<GatewayPayment | null>;
  /** Captures an authorised payment; one that is captured already is answered as it is. Throws `gateway-unavailable`. */
  capturePayment(gatewayPaymentId: string, amountPaise: number): Promise<GatewayPayment>;
  /** All payments tried for an order. Throws `gateway-unavailable`. */
  listPayments(gatewayOrderId: string): Promise<GatewayPayment[]>;
}

/** What of the package's HTTP client is set here: it has no options for these. */
interface HttpDefaults {
  baseURL: string;
  timeout: number;
  adapter: string;
}

export function createRazorpayGateway(options: {
  keyId: string;
  keySecret: string;
  apiUrl: string;
}): PaymentGateway {
  const razorpay = new Razorpay({ key_id: options.keyId, key_secret: options.keySecret });
  const { defaults } = (razorpay as unknown as { api: { rq: { defaults: HttpDefaults } } }).api.rq;
  defaults.baseURL = options.apiUrl;
  defaults.timeout = answerTimeoutMs;
  // The same client on every runtime: Workers have fetch and no sockets.
  defaults.adapter = 'fetch';

  return {
    async createOrder(order) {
      try {
        const made = await answer(() =>
          razorpay.orders.create({
            amount: order.amountPaise,
            currency: 'INR',
            receipt: order.receipt,
          }),
        );
        return { gatewayOrderId: z.object({ id: z.string() }).parse(made).id };
      } catch (error) {
        // Nothing that the buyer could mend: wrong keys, or a gateway that changed its mind.
        if (error instanceof GatewayRefusal) throw problem('gateway-unavailable');
        throw error;
      }
    },
    async fetchPayment(gatewayPaymentId) {
      try {
        return GatewayPayment.parse(await answer(() => razorpay.payments.fetch(gatewayPaymentId)));
      } catch (error) {
        if (error instanceof GatewayRefusal) return null;
        throw error;
      }
    },
    async capturePayment(gatewayPaymentId, amountPaise) {
      try {
        const captured = await answer(() =>
          razorpay.payments.capture(gatewayPaymentId, amountPaise, 'INR'),
        );
        return GatewayPayment.parse(captured);
      } catch (error) {
        // Somebody else was faster, or it cannot be captured any more: its state tells.
        if (!(error instanceof GatewayRefusal)) throw error;
        return GatewayPayment.parse(await answer(() => razorpay.payments.fetch(gatewayPaymentId)));
      }
    },
    async listPayments(gatewayOrderId) {
      const list = await answer(() => razorpay.orders.fetchPayments(gatewayOrderId));
      return z.object({ items: z.array(GatewayPayment) }).parse(list).items;
    },
  };
}

/** The gateway understood the request and said no. */
export class GatewayRefusal extends Error {}

async function answer<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    // The package throws `{ statusCode, error }` for an answer, and a TypeError when none came.
    const refused = z.object({ statusCode: z.int().min(400).max(499) }).safeParse(error);
    if (refused.success && refused.data.statusCode !== 429) {
      throw new GatewayRefusal(`the gateway answered ${refused.data.statusCode}`);
    }
    throw problem('gateway-unavailable');
  }
}
