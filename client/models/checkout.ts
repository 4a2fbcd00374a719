// Checkout: from choosing a package to tokens in the wallet, through the gateway's own window.

import { signal } from '@preact/signals';
import type { Order, TokenPackage } from '#contract';
import type { Api } from './api.ts';
import { ApiError, hasCode, isTransient, messageOf } from './api-error.ts';
import { backoffMs } from './backoff.ts';
import { type Cancel, type Clock, pause, repeat } from './clock.ts';
import type { GatewayPayment, LoadCheckout } from './gateway-script.ts';
import type { WalletModel } from './wallet.ts';

/** A payment that the gateway has not captured yet is asked for again, about 30 seconds in all. */
export const verifyRetriesMax = 10;
export const verifyBackoff = { firstMs: 600, maxMs: 5_000 };
/** A payment that is still on its way is looked for at this pace. */
export const pendingPollMs = 10_000;

export type CheckoutStep =
  | { name: 'idle' }
  | { name: 'ordering' | 'paying' | 'verifying'; packageId: string }
  | { name: 'credited'; tokens: number; balanceTokens: number }
  /** Paid, but not confirmed yet: the gateway's own message will credit it. */
  | { name: 'pending'; tokens: number }
  | { name: 'failed'; text: string };

export type CheckoutDeps = {
  api: { payments: Pick<Api['payments'], 'order' | 'verify'> };
  wallet: Pick<WalletModel, 'balanceTokens' | 'confirm' | 'refresh'>;
  loadCheckout: LoadCheckout;
  buyer: { username: string; email: string };
  clock: Clock;
  newKey: () => string;
  onCredited: () => void;
};

type Outcome = GatewayPayment | { dismissed: true; failure: string | null };

const brandColour = '#d11a48';

/** Opens the gateway's window; resolves when the person has paid or closed it. */
async function pay(deps: CheckoutDeps, order: Order, what: TokenPackage): Promise<Outcome> {
  const Checkout = await deps.loadCheckout(order.checkoutScriptUrl);
  return new Promise((resolve) => {
    let failure: string | null = null;
    const window = new Checkout({
      key: order.gatewayKeyId,
      order_id: order.gatewayOrderId,
      amount: order.amountPaise,
      currency: order.currency,
      name: 'LivePanty',
      description: `${what.name}: ${what.tokens} tokens`,
      prefill: { name: deps.buyer.username, email: deps.buyer.email },
      theme: { color: brandColour },
      handler: resolve,
      modal: { ondismiss: () => resolve({ dismissed: true, failure }) },
    });
    // The gateway's window offers another attempt by itself; the reason matters once it is closed.
    window.on?.('payment.failed', (event) => {
      failure = event.error?.description ?? 'The payment failed.';
    });
    window.open();
  });
}

/** True when the payment may yet be confirmed. */
function mayStillCome(error: unknown): boolean {
  return isTransient(error) || hasCode(error, 'payment-not-captured');
}

async function verify({ api, clock }: CheckoutDeps, payment: GatewayPayment) {
  const body = {
    gatewayOrderId: payment.razorpay_order_id,
    gatewayPaymentId: payment.razorpay_payment_id,
    signature: payment.razorpay_signature,
  };
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await api.payments.verify(body);
    } catch (error) {
      if (!mayStillCome(error) || attempt >= verifyRetriesMax) throw error;
      await pause(clock, backoffMs(attempt, verifyBackoff));
    }
  }
}

export function createCheckout(deps: CheckoutDeps) {
  const { api, wallet, clock } = deps;
  const step = signal<CheckoutStep>({ name: 'idle' });
  let stopPolling: Cancel = () => {};

  async function lookForCredit(balanceBefore: number | null): Promise<void> {
    await wallet.refresh();
    const balanceTokens = wallet.balanceTokens.peek();
    if (step.peek().name !== 'pending' || balanceTokens === null) return;
    if (balanceBefore !== null && balanceTokens <= balanceBefore) return;
    stopPolling();
    step.value = { name: 'idle' };
    deps.onCredited();
  }

  function waitForCredit(tokens: number): void {
    const before = wallet.balanceTokens.peek();
    step.value = { name: 'pending', tokens };
    stopPolling();
    stopPolling = repeat(clock, pendingPollMs, () => lookForCredit(before));
  }

  async function settle(payment: GatewayPayment, what: TokenPackage): Promise<void> {
    step.value = { name: 'verifying', packageId: what.id };
    try {
      const { balanceTokens } = await verify(deps, payment);
      wallet.confirm(balanceTokens);
      step.value = { name: 'credited', tokens: what.tokens, balanceTokens };
      deps.onCredited();
    } catch (error) {
      if (!mayStillCome(error)) throw error;
      waitForCredit(what.tokens);
    }
  }

  return {
    step,
    async buy(what: TokenPackage): Promise<void> {
      const { name } = step.peek();
      if (name === 'ordering' || name === 'paying' || name === 'verifying') return;
      step.value = { name: 'ordering', packageId: what.id };
      try {
        const order = await api.payments.order(what.id, deps.newKey());
        step.value = { name: 'paying', packageId: what.id };
        const outcome = await pay(deps, order, what);
        if (!('dismissed' in outcome)) return await settle(outcome, what);
        const { failure } = outcome;
        step.value = failure ? { name: 'failed', text: failure } : { name: 'idle' };
      } catch (error) {
        const text =
          error instanceof ApiError
            ? messageOf(error)
            : 'The payment window did not open. Try again.';
        step.value = { name: 'failed', text };
      }
    },
    close(): void {
      stopPolling();
    },
  };
}
export type Checkout = ReturnType<typeof createCheckout>;
