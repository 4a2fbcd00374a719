// The tip sender: shows a tip at once, sends it once, and takes it back when it is refused.
import type { TipBody, TipReceipt } from '#contract';
import type { Api } from './api.ts';
import { hasCode, isTransient, messageOf } from './api-error.ts';
import { backoffMs, requestBackoff } from './backoff.ts';
import { type Clock, pause } from './clock.ts';
import type { Feed, PendingLine, SpokenEvent } from './feed.ts';
import type { WalletModel } from './wallet.ts';

/** Silent retries with the same key before the person is asked. */
export const tipRetriesMax = 3;

export type TipSenderDeps = {
  api: { tips: Pick<Api['tips'], 'send'> };
  wallet: Pick<WalletModel, 'hold' | 'refresh'>;
  feed: Pick<Feed, 'addPending' | 'dropPending' | 'accept'>;
  self: { id: string; username: string } | null;
  clock: Clock;
  toast: (text: string) => void;
  /** True when whoever asks says why by themselves, so that no toast need. */
  tellsWhy?: (error: unknown) => boolean;
  /** A tip of ours has been taken. */
  onTipped?: () => void;
  random?: () => number;
};

/** One intended tip; every attempt at it carries the same key. */
export type Tip = { body: TipBody; key: string };

async function sendWithRetries({ api, clock, random }: TipSenderDeps, { body, key }: Tip) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await api.tips.send(body, key);
    } catch (error) {
      if (!isTransient(error) || attempt >= tipRetriesMax) throw error;
      await pause(clock, backoffMs(attempt, requestBackoff, random));
    }
  }
}

function lineOf({ body, key }: Tip, state: PendingLine['state']): PendingLine {
  return { key, kind: 'tip', body: body.message, amountTokens: body.amountTokens, state };
}

/** The event as the room will tell it, so that the tip stands in the chat before the room does. */
function eventOf({ clock, self }: TipSenderDeps, { body }: Tip, receipt: TipReceipt): SpokenEvent {
  const shown = body.anonymous ? null : self;
  return {
    id: receipt.eventId,
    streamId: body.streamId,
    at: new Date(clock.now()).toISOString(),
    type: 'tip.received',
    data: {
      tipId: receipt.tipId,
      userId: shown?.id ?? null,
      username: shown?.username ?? null,
      amountTokens: body.amountTokens,
      message: body.message,
    },
  };
}

export function createTipSender(deps: TipSenderDeps) {
  const { wallet, feed } = deps;
  const unsure = new Map<string, Tip>();
  // One after the other, so that the balance that an answer tells is the newest.
  let queue: Promise<unknown> = Promise.resolve();

  function refused(tip: Tip, error: unknown): void {
    if (isTransient(error)) {
      // Nobody knows whether it was carried out: the same key makes a retry safe.
      unsure.set(tip.key, tip);
      feed.addPending(lineOf(tip, 'failed'));
    } else {
      feed.dropPending(tip.key);
      if (hasCode(error, 'insufficient-balance')) wallet.refresh().catch(() => {});
    }
    if (!deps.tellsWhy?.(error)) deps.toast(messageOf(error));
  }

  async function carryOut(tip: Tip): Promise<void> {
    if (!feed.addPending(lineOf(tip, 'sending'))) {
      deps.toast('Wait until your last tips have arrived.');
      return;
    }
    const hold = wallet.hold(tip.body.amountTokens);
    unsure.delete(tip.key);
    try {
      const sending = queue.then(() => sendWithRetries(deps, tip));
      // A refused tip must not stop the ones behind it.
      queue = sending.catch(() => null);
      const receipt = await sending;
      hold.commit(receipt.balanceTokens);
      feed.dropPending(tip.key);
      feed.accept([eventOf(deps, tip, receipt)], 'live');
      deps.onTipped?.();
    } catch (error) {
      hold.release();
      refused(tip, error);
    }
  }

  return {
    carryOut,
    async retry(key: string): Promise<void> {
      const tip = unsure.get(key);
      if (tip) await carryOut(tip);
    },
    giveUp(key: string): void {
      unsure.delete(key);
      feed.dropPending(key);
      // It may have been carried out all the same.
      wallet.refresh().catch(() => {});
    },
  };
}
