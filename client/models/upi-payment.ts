// A UPI payment: a link that a UPI app opens or a code that it scans, how long it holds, and a new one.
import { computed, signal } from '@preact/signals';
import type { UpiIntent } from '#contract';
import { messageOf } from './api-error.ts';
import { type Cancel, type Clock, repeat } from './clock.ts';
import { createKeyedAct } from './keyed-act.ts';

const tickMs = 1_000;
/** A link holds for no longer than this; one that seems to comes with a clock that is wrong. */
export const linkLifeMaxMs = 3_600_000;
/** What is assumed of a link when this machine's clock is wrong: the gateway decides anyway. */
export const linkLifeAssumedMs = 300_000;

export type UpiStep =
  | { name: 'asking' }
  /** The link holds until `endsAtMs`, by this machine's clock. */
  | { name: 'waiting'; intent: UpiIntent; endsAtMs: number }
  | { name: 'expired' }
  | { name: 'failed'; text: string };

export type UpiPaymentDeps = {
  orderId: string;
  upiIntent: (orderId: string, key: string) => Promise<UpiIntent>;
  clock: Clock;
  newKey: () => string;
  onWaiting: () => void;
  onExpired: () => void;
};

export function createUpiPayment(deps: UpiPaymentDeps) {
  const { clock } = deps;
  const step = signal<UpiStep>({ name: 'asking' });
  const nowMs = signal(clock.now());
  const ask = createKeyedAct({
    send: (orderId: string, key) => deps.upiIntent(orderId, key),
    clock,
    newKey: deps.newKey,
  });
  let closed = false;
  let wasOffered = false;
  /** The payment that the newest link is for. */
  let gatewayPaymentId: string | null = null;
  let stopTicking: Cancel = () => {};

  function endOf({ expiresAt }: UpiIntent): number {
    const leftMs = Date.parse(expiresAt) - clock.now();
    const isLikely = leftMs > 0 && leftMs <= linkLifeMaxMs;
    return clock.now() + (isLikely ? leftMs : linkLifeAssumedMs);
  }

  function tick(): void {
    nowMs.value = clock.now();
    const now = step.peek();
    if (now.name !== 'waiting' || now.endsAtMs > clock.now()) return;
    stopTicking();
    step.value = { name: 'expired' };
    deps.onExpired();
  }

  async function begin(): Promise<void> {
    step.value = { name: 'asking' };
    gatewayPaymentId = null;
    stopTicking();
    try {
      const intent = await ask.carryOut(deps.orderId);
      if (!intent || closed) return;
      nowMs.value = clock.now();
      wasOffered = true;
      gatewayPaymentId = intent.gatewayPaymentId;
      step.value = { name: 'waiting', intent, endsAtMs: endOf(intent) };
      stopTicking = repeat(clock, tickMs, tick);
      deps.onWaiting();
    } catch (error) {
      if (!closed) step.value = { name: 'failed', text: messageOf(error) };
    }
  }

  begin();
  return {
    step,
    /** Until the link ends; null while there is none. */
    leftMs: computed(() =>
      step.value.name === 'waiting' ? Math.max(0, step.value.endsAtMs - nowMs.value) : null,
    ),
    /** True once there was a link that somebody may have paid, unless it has failed. */
    wasOffered: (): boolean => wasOffered,
    /** Whether there is a link for this payment, or was until its end. */
    isFor: (paymentId: string): boolean => gatewayPaymentId === paymentId,
    /** Nothing comes of it any more. */
    fail(text: string): void {
      stopTicking();
      wasOffered = false;
      step.value = { name: 'failed', text };
    },
    /** A new link for the same order, which can be paid only once. */
    async retry(): Promise<void> {
      const { name } = step.peek();
      if (name === 'expired' || name === 'failed') await begin();
    },
    close(): void {
      closed = true;
      stopTicking();
    },
  };
}
export type UpiPayment = ReturnType<typeof createUpiPayment>;
