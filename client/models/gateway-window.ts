// The gateway's window: opened over the page for one order, until it is paid or closed.
import type { Order, TokenPackage } from '#contract';
import type { GatewayPayment, LoadCheckout } from './gateway-script.ts';

export type WindowOutcome =
  | { paid: GatewayPayment }
  /** Closed by the person; `failure` is why the last attempt in it had failed, if one had. */
  | { paid: null; failure: string | null };

const brandColour = '#d11a48';

/** Opens the gateway's window; resolves when the person has paid or closed it. */
export async function payInWindow(
  loadCheckout: LoadCheckout,
  order: Order,
  what: TokenPackage,
  buyer: { username: string; email: string },
): Promise<WindowOutcome> {
  const Checkout = await loadCheckout(order.checkoutScriptUrl);
  return new Promise((resolve) => {
    let failure: string | null = null;
    const window = new Checkout({
      key: order.gatewayKeyId,
      order_id: order.gatewayOrderId,
      amount: order.amountPaise,
      currency: order.currency,
      name: 'LivePanty',
      description: `${what.name}: ${what.tokens} tokens`,
      prefill: { name: buyer.username, email: buyer.email },
      theme: { color: brandColour },
      handler: (paid) => resolve({ paid }),
      modal: { ondismiss: () => resolve({ paid: null, failure }) },
    });
    // The gateway's window offers another attempt by itself; the reason matters once it is closed.
    window.on?.('payment.failed', (event) => {
      failure = event.error?.description ?? 'The payment failed.';
    });
    window.open();
  });
}
