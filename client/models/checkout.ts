// Checkout: from choosing a package to tokens in the wallet, through the gateway's window or a UPI app.

import { type ReadonlySignal, signal } from '@preact/signals';
import type { Order, OrderStatus, TokenPackage } from '#contract';
import type { Api } from './api.ts';
import { hasCode, isTransient, messageOf } from './api-error.ts';
import { backoffMs } from './backoff.ts';
import { type Clock, pause } from './clock.ts';
import type { GatewayPayment, LoadCheckout } from './gateway-script.ts';
import { payInWindow } from './gateway-window.ts';
import type { MoneyApi } from './money-api.ts';
import { createOpenOrders } from './open-orders.ts';
import { type OrderWatch, watchOrder } from './order-watch.ts';
import type { PayWay } from './pay-way.ts';
import { endOfOrder } from './payment-failure-words.ts';
import { createUpiPayment, type UpiPayment } from './upi-payment.ts';
import type { WalletModel } from './wallet.ts';

/** A payment that the gateway has not captured yet is asked for again, about 30 seconds in all. */
export const verifyRetriesMax = 10;
export const verifyBackoff = { firstMs: 600, maxMs: 5_000 };

export type CheckoutStep =
  | { name: 'idle' }
  | { name: 'ordering' | 'paying' | 'verifying'; packageId: string }
  /** A link or a code is shown, and an app pays it. */
  | { name: 'upi'; packageId: string }
  /** `earlier` when an attempt of before had paid it already. */
  | { name: 'credited'; tokens: number; balanceTokens: number; earlier?: boolean }
  /** Paid, or perhaps paid, but not confirmed yet: the gateway's own message will credit it. */
  | { name: 'pending'; tokens: number }
  | { name: 'failed'; text: string };

export type CheckoutDeps = {
  api: { payments: Pick<Api['payments'], 'order' | 'verify'> };
  money: Pick<MoneyApi, 'orderStatus' | 'upiIntent'>;
  wallet: Pick<WalletModel, 'confirm'>;
  loadCheckout: LoadCheckout;
  buyer: { username: string; email: string };
  way: ReadonlySignal<PayWay>;
  clock: Clock;
  isLookedAt: () => boolean;
  newKey: () => string;
};

/** A purchase whose payment is waited for. */
export type Purchase = { what: TokenPackage; watch: OrderWatch; upi: UpiPayment | null };

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
  const { money, wallet, clock } = deps;
  const step = signal<CheckoutStep>({ name: 'idle' });
  const purchase = signal<Purchase | null>(null);
  const orders = createOpenOrders(deps);
  let closed = false;

  /** Waits for nothing any more. */
  function end(next: CheckoutStep): void {
    purchase.peek()?.watch.stop();
    purchase.peek()?.upi?.close();
    purchase.value = null;
    step.value = next;
  }

  function credit(what: TokenPackage, balanceTokens: number, earlier = false): void {
    orders.done(what.id);
    wallet.confirm(balanceTokens);
    end({ name: 'credited', tokens: what.tokens, balanceTokens, ...(earlier && { earlier }) });
  }

  function watchFor(
    what: TokenPackage,
    order: Order,
    onEnded: (status: OrderStatus) => boolean,
  ): OrderWatch {
    return watchOrder({
      orderId: order.id,
      orderStatus: money.orderStatus,
      clock,
      isLookedAt: deps.isLookedAt,
      onPaid: ({ balanceTokens }) => credit(what, balanceTokens),
      onEnded,
      onRefused: (error) => end({ name: 'failed', text: messageOf(error) }),
    });
  }

  function failWith(status: OrderStatus): void {
    end({ name: 'failed', text: endOfOrder(status) ?? '' });
  }

  function waitForCredit(what: TokenPackage, order: Order, payment: GatewayPayment): void {
    if (closed) return;
    const watch = watchFor(what, order, (status) => {
      // The gateway has said that this very payment is made: only its own failure counts against that.
      if (status.failure?.gatewayPaymentId === payment.razorpay_payment_id) failWith(status);
      return status.state === 'expired';
    });
    watch.setLate(true);
    purchase.value = { what, watch, upi: null };
    step.value = { name: 'pending', tokens: what.tokens };
  }

  async function settle(payment: GatewayPayment, what: TokenPackage, order: Order): Promise<void> {
    step.value = { name: 'verifying', packageId: what.id };
    try {
      const { balanceTokens } = await verify(deps, payment);
      credit(what, balanceTokens);
    } catch (error) {
      if (!mayStillCome(error)) throw error;
      waitForCredit(what, order, payment);
    }
  }

  /** The money may be under way although the window was closed; then the tokens come by themselves. */
  async function lookOnce(what: TokenPackage, order: Order): Promise<void> {
    try {
      const { state, balanceTokens } = await money.orderStatus(order.id);
      if (state === 'paid' && step.peek().name === 'idle') credit(what, balanceTokens);
    } catch {
      // The live balance shows them all the same.
    }
  }

  async function payAtGateway(what: TokenPackage, order: Order): Promise<void> {
    step.value = { name: 'paying', packageId: what.id };
    let outcome: Awaited<ReturnType<typeof payInWindow>>;
    try {
      outcome = await payInWindow(deps.loadCheckout, order, what, deps.buyer);
    } catch {
      // The script did not load, or threw: which of both is of no use to anybody here.
      end({ name: 'failed', text: 'The payment window did not open. Try again.' });
      return;
    }
    if (outcome.paid) return settle(outcome.paid, what, order);
    const { failure } = outcome;
    step.value = failure ? { name: 'failed', text: failure } : { name: 'idle' };
    if (!failure) await lookOnce(what, order);
  }

  function payByUpi(what: TokenPackage, order: Order): void {
    if (closed) return;
    const watch = watchFor(what, order, (status) => {
      // A failure of a link of before says nothing of this one.
      if (status.failure && !upi.isFor(status.failure.gatewayPaymentId)) return false;
      if (step.peek().name === 'upi') upi.fail(endOfOrder(status) ?? '');
      else failWith(status);
      return true;
    });
    const upi = createUpiPayment({
      orderId: order.id,
      upiIntent: money.upiIntent,
      clock,
      newKey: deps.newKey,
      onWaiting: () => watch.setLate(false),
      onExpired() {
        watch.setLate(true);
        watch.check();
      },
    });
    purchase.value = { what, watch, upi };
    step.value = { name: 'upi', packageId: what.id };
  }

  async function begin(what: TokenPackage): Promise<void> {
    const order = await orders.of(what.id);
    if (order.state === 'paid') {
      const { balanceTokens } = await money.orderStatus(order.id);
      credit(what, balanceTokens, true);
    } else if (deps.way.peek() === 'gateway') await payAtGateway(what, order);
    else payByUpi(what, order);
  }

  return {
    step,
    purchase,
    async buy(what: TokenPackage): Promise<void> {
      if (isUnderWay(step.peek())) return;
      end({ name: 'ordering', packageId: what.id });
      try {
        await begin(what);
      } catch (error) {
        end({ name: 'failed', text: messageOf(error) });
      }
    },
    /** Closes the dialog of a UPI payment, which may yet be paid, or has been. */
    leave(): void {
      if (step.peek().name !== 'upi') return;
      const open = purchase.peek();
      if (open?.upi?.wasOffered()) step.value = { name: 'pending', tokens: open.what.tokens };
      else end({ name: 'idle' });
    },
    /** Shows the link or the code of a payment again. */
    resume(): void {
      const open = purchase.peek();
      if (open?.upi) step.value = { name: 'upi', packageId: open.what.id };
    },
    /** Waits no longer; what was paid all the same is credited all the same. */
    cancel: (): void => end({ name: 'idle' }),
    wake: (): void => void purchase.peek()?.watch.wake(),
    close(): void {
      closed = true;
      purchase.peek()?.watch.stop();
      purchase.peek()?.upi?.close();
    },
  };
}
export type Checkout = ReturnType<typeof createCheckout>;

/** The package that is being bought, while no other can be. */
export function packageUnderWay(step: CheckoutStep): string | null {
  return 'packageId' in step ? step.packageId : null;
}

const isUnderWay = (step: CheckoutStep): boolean => packageUnderWay(step) !== null;
