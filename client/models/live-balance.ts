// The live balance: follows what moves a wallet elsewhere, in other tabs and at the edge.
import type { BackoffLimits } from './backoff.ts';
import type { Cancel, Clock } from './clock.ts';
import { createPoll, type Poll } from './poll.ts';
import type { WalletModel } from './wallet.ts';

/** How often the balance is asked for while a page shows it large and somebody looks. */
export const balanceIntervalMs = 4_000;
const balancePace: BackoffLimits = { firstMs: balanceIntervalMs, maxMs: balanceIntervalMs };
/** Without an answer it is asked for more and more rarely. */
export const balanceFailing: BackoffLimits = { firstMs: 8_000, maxMs: 60_000 };

/** Word between the tabs of one browser that the wallet has moved. */
export type WalletNews = { tell(): void; listen(hear: () => void): void };

export type LiveBalanceDeps = {
  wallet: Pick<WalletModel, 'acts' | 'look'>;
  clock: Clock;
  news: WalletNews;
  isLookedAt: () => boolean;
  onWake: (act: () => void) => Cancel;
  random?: () => number;
};

export function createLiveBalance(deps: LiveBalanceDeps) {
  const { wallet, clock, news, isLookedAt, random } = deps;
  const followers = new Set<symbol>();
  let poll: Poll | null = null;

  function look(): void {
    if (poll) poll.wake();
    else if (isLookedAt()) {
      wallet.look().catch(() => {
        // The balance of before stands; whoever looks again asks again.
      });
    }
  }

  let actsTold = wallet.acts.peek();
  wallet.acts.subscribe((acts) => {
    if (acts !== actsTold) news.tell();
    actsTold = acts;
  });
  // A tab that is not looked at looks when it is.
  news.listen(look);
  deps.onWake(look);

  return {
    /** Keeps the balance fresh until the answer is called. */
    follow(): Cancel {
      const follower = Symbol('follower');
      followers.add(follower);
      poll ??= createPoll({
        clock,
        isLookedAt,
        look: wallet.look,
        pace: () => balancePace,
        failing: balanceFailing,
        random,
      });
      return () => {
        followers.delete(follower);
        if (followers.size > 0) return;
        poll?.stop();
        poll = null;
      };
    },
  };
}
export type LiveBalance = ReturnType<typeof createLiveBalance>;
