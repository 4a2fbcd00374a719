// The tip bar: choose an amount, see what it costs and does, send it once, and take it back if refused.

import { computed, signal } from '@preact/signals';
import type { z } from 'zod';
import type { FeePolicy, TipBody } from '#contract';
import type { Api } from './api.ts';
import { ApiError, hasCode, isTransient, messageOf } from './api-error.ts';
import { backoffMs, requestBackoff } from './backoff.ts';
import { type Clock, pause } from './clock.ts';
import type { Feed, PendingLine } from './feed.ts';
import type { WalletModel } from './wallet.ts';

export const quickAmountsTokens = [10, 50, 100, 500] as const;
/** From this amount on the person is asked once more. */
export const confirmFromTokens = 1_000;
/** Silent retries with the same key before the person is asked. */
export const tipRetriesMax = 3;

/** The same bounds as the contract's; a test holds them together, so that no page carries all schemas. */
export const amountTokensMin = 1;
export const amountTokensMax = 10_000;
export const tipMessageCharsMax = 200;

export type TipBarDeps = {
  streamId: string;
  api: Pick<Api, 'tips'>;
  wallet: Pick<WalletModel, 'balanceTokens' | 'hold' | 'refresh'>;
  feed: Pick<Feed, 'addPending' | 'dropPending' | 'accept'>;
  self: { id: string; username: string } | null;
  clock: Clock;
  newKey: () => string;
  toast: (text: string) => void;
  random?: () => number;
};

type Tip = { body: TipBody; key: string };

/** The whole number of tokens that a text means, or null. */
export function parseAmount(text: string): number | null {
  const trimmed = text.trim();
  if (!/^\d{1,6}$/.test(trimmed)) return null;
  const amount = Number(trimmed);
  return amount >= amountTokensMin && amount <= amountTokensMax ? amount : null;
}

function createTipSender(deps: TipBarDeps) {
  const { api, wallet, feed, clock, random } = deps;
  const failed = new Map<string, Tip>();
  // One after the other, so that the balance that an answer tells is the newest.
  let queue: Promise<unknown> = Promise.resolve();

  function lineOf({ body, key }: Tip, state: PendingLine['state']): PendingLine {
    return { key, kind: 'tip', body: body.message, amountTokens: body.amountTokens, state };
  }

  async function sendWithRetries({ body, key }: Tip) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await api.tips.send(body, key);
      } catch (error) {
        if (!isTransient(error) || attempt >= tipRetriesMax) throw error;
        await pause(clock, backoffMs(attempt, requestBackoff, random));
      }
    }
  }

  function showAsReceived(tip: Tip, receipt: { tipId: string; eventId: number }): void {
    const { body } = tip;
    const self = body.anonymous ? null : deps.self;
    feed.accept(
      [
        {
          id: receipt.eventId,
          streamId: body.streamId,
          at: new Date(clock.now()).toISOString(),
          type: 'tip.received',
          data: {
            tipId: receipt.tipId,
            userId: self?.id ?? null,
            username: self?.username ?? null,
            amountTokens: body.amountTokens,
            message: body.message,
          },
        },
      ],
      'live',
    );
  }

  async function carryOut(tip: Tip): Promise<void> {
    if (!feed.addPending(lineOf(tip, 'sending'))) {
      deps.toast('Wait until your last tips have arrived.');
      return;
    }
    const hold = wallet.hold(tip.body.amountTokens);
    failed.delete(tip.key);
    try {
      const sending = queue.then(() => sendWithRetries(tip));
      // A refused tip must not stop the ones behind it.
      queue = sending.catch(() => null);
      const receipt = await sending;
      hold.commit(receipt.balanceTokens);
      feed.dropPending(tip.key);
      showAsReceived(tip, receipt);
    } catch (error) {
      hold.release();
      refused(tip, error);
    }
  }

  function refused(tip: Tip, error: unknown): void {
    if (isTransient(error)) {
      // Nobody knows whether it was carried out: the same key makes a retry safe.
      failed.set(tip.key, tip);
      feed.addPending(lineOf(tip, 'failed'));
    } else {
      feed.dropPending(tip.key);
      if (hasCode(error, 'insufficient-balance')) wallet.refresh().catch(() => {});
    }
    deps.toast(messageOf(error));
  }

  return {
    carryOut,
    retry(key: string): Promise<void> {
      const tip = failed.get(key);
      return tip ? carryOut(tip) : Promise.resolve();
    },
    giveUp(key: string): void {
      failed.delete(key);
      feed.dropPending(key);
      // It may have been carried out all the same.
      wallet.refresh().catch(() => {});
    },
  };
}

export function createTipBar(deps: TipBarDeps) {
  const { wallet } = deps;
  const amountText = signal('');
  const message = signal('');
  const anonymous = signal(false);
  const confirming = signal(false);
  const feePolicy = signal<z.infer<typeof FeePolicy> | null>(null);
  const feeFault = signal(false);
  const sender = createTipSender(deps);
  const amountTokens = computed(() => parseAmount(amountText.value));

  const obstacle = computed<string | null>(() => {
    const amount = amountTokens.value;
    if (amount === null) {
      return amountText.value === ''
        ? 'Choose an amount'
        : `A whole number from ${amountTokensMin} to ${amountTokensMax.toLocaleString('en-IN')}`;
    }
    const balance = wallet.balanceTokens.value;
    if (balance !== null && amount > balance) return 'Not enough tokens';
    return null;
  });

  function submit(): void {
    const amount = amountTokens.peek();
    if (amount === null || obstacle.peek() !== null) return;
    if (amount >= confirmFromTokens && !confirming.peek()) {
      confirming.value = true;
      return;
    }
    confirming.value = false;
    const body: TipBody = {
      streamId: deps.streamId,
      amountTokens: amount,
      message: message.peek().trim(),
      anonymous: anonymous.peek(),
    };
    amountText.value = '';
    message.value = '';
    sender.carryOut({ body, key: deps.newKey() });
  }

  return {
    amountText,
    amountTokens,
    message,
    anonymous,
    confirming,
    obstacle,
    feePolicy,
    feeFault,
    balanceTokens: wallet.balanceTokens,
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
      try {
        feePolicy.value = await deps.api.tips.fees();
        feeFault.value = false;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        feeFault.value = true;
      }
    },
  };
}
export type TipBar = ReturnType<typeof createTipBar>;
