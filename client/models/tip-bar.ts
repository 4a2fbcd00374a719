// The tip bar: choose an amount, see what it costs and does, and send it.

import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { z } from 'zod';
import type { FeePolicy, TipBody } from '#contract';
import type { Api } from './api.ts';
import { hasCode, messageOf } from './api-error.ts';
import { createTipSender, type TipSenderDeps } from './tip-sender.ts';
import type { WalletModel } from './wallet.ts';

export const quickAmountsTokens = [10, 50, 100, 500] as const;
/** From this amount on the person is asked once more. */
export const confirmFromTokens = 1_000;

/** The same bounds as the contract's; a test holds them together, so that no page carries all schemas. */
export const amountTokensMin = 1;
export const amountTokensMax = 10_000;
export const tipMessageCharsMax = 200;

/** Refusals that hold for the next tip, too: they stay in sight until another one is begun. */
const lastingRefusals = [
  'spending-limit',
  'new-account-limit',
  'account-banned',
  'email-unverified',
  'performer-unavailable',
] as const;

export type TipRefusal = {
  text: string;
  /** True when it is a limit of one's own, which can be changed. */
  ownLimit: boolean;
};

export type TipBarDeps = TipSenderDeps & {
  streamId: string;
  api: Pick<Api, 'tips'>;
  wallet: Pick<WalletModel, 'balanceTokens' | 'hold' | 'refresh'>;
  newKey: () => string;
  /** Whether this person tips without their name unless they say otherwise. */
  usuallyAnonymous: ReadonlySignal<boolean>;
};

/** The whole number of tokens that a text means, or null. */
export function parseAmount(text: string): number | null {
  const trimmed = text.trim();
  if (!/^\d{1,6}$/.test(trimmed)) return null;
  const amount = Number(trimmed);
  return amount >= amountTokensMin && amount <= amountTokensMax ? amount : null;
}

/** Why this text cannot be tipped, in a few words; null when it can. */
function obstacleTo(text: string, balanceTokens: number | null): string | null {
  if (text === '') return 'Choose an amount';
  const amount = parseAmount(text);
  if (amount === null) {
    return `A whole number from ${amountTokensMin} to ${amountTokensMax.toLocaleString('en-IN')}`;
  }
  return balanceTokens !== null && amount > balanceTokens ? 'Not enough tokens' : null;
}

export function createTipBar(deps: TipBarDeps) {
  const { balanceTokens } = deps.wallet;
  const amountText = signal('');
  const message = signal('');
  /** What was picked for the tips on this page; null while the usual holds. */
  const pickedAnonymous = signal<boolean | null>(null);
  const anonymous = computed(() => pickedAnonymous.value ?? deps.usuallyAnonymous.value);
  const confirming = signal(false);
  const feePolicy = signal<z.infer<typeof FeePolicy> | null>(null);
  const feeFault = signal(false);
  const amountTokens = computed(() => parseAmount(amountText.value));
  const obstacle = computed(() => obstacleTo(amountText.value, balanceTokens.value));
  const refusal = signal<TipRefusal | null>(null);
  const sender = createTipSender({
    ...deps,
    tellsWhy(error) {
      if (!hasCode(error, ...lastingRefusals)) return false;
      refusal.value = { text: messageOf(error), ownLimit: hasCode(error, 'spending-limit') };
      return true;
    },
  });

  function submit(): void {
    const amount = amountTokens.peek();
    if (amount === null || obstacle.peek() !== null) return;
    if (amount >= confirmFromTokens && !confirming.peek()) {
      confirming.value = true;
      return;
    }
    const body: TipBody = {
      streamId: deps.streamId,
      amountTokens: amount,
      message: message.peek().trim(),
      anonymous: anonymous.peek(),
    };
    confirming.value = false;
    refusal.value = null;
    amountText.value = '';
    message.value = '';
    sender.carryOut({ body, key: deps.newKey() });
  }

  return {
    amountText,
    amountTokens,
    message,
    anonymous,
    pickAnonymous(is: boolean): void {
      pickedAnonymous.value = is;
    },
    confirming,
    obstacle,
    /** Why the last tip was refused, until another amount is chosen. */
    refusal: computed(() => (amountText.value === '' ? refusal.value : null)),
    feePolicy,
    feeFault,
    balanceTokens,
    submit,
    retry: sender.retry,
    giveUp: sender.giveUp,
    choose(tokens: number): void {
      amountText.value = String(tokens);
    },
    cancel(): void {
      confirming.value = false;
    },
    async loadFees(): Promise<void> {
      feeFault.value = false;
      try {
        feePolicy.value = await deps.api.tips.fees();
      } catch {
        // The bar says so and offers to try again; tipping is not held up by it.
        feeFault.value = true;
      }
    },
  };
}
export type TipBar = ReturnType<typeof createTipBar>;
