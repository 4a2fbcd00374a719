// The access token: kept in memory only, renewed silently before it ends, and once when it is refused.
import type { Session } from '#contract';
import type { TokenSource } from './api.ts';
import { hasCode, isTransient } from './api-error.ts';
import { backoffMs, requestBackoff } from './backoff.ts';
import { type Cancel, type Clock, pause } from './clock.ts';

/** The token is renewed so long before it ends. */
export const renewBeforeEndMs = 60_000;
/** A request that would leave with less life than this waits for a new token first. */
export const tokenLifeLeftMinMs = 5_000;
/** A token that seems to have ended already when it arrives: this clock is wrong, so the edge decides. */
export const tokenLifeAssumedMs = 120_000;
export const renewRetriesMax = 8;
/** Another tab has renewed the session a moment ago: the cookie that it got is here soon. */
export const otherTabPauseMs = 200;
export const otherTabRetriesMax = 3;

/** Runs `work` in one tab of this browser at a time, so that tabs do not spend the same cookie. */
export type Exclusive = <T>(work: () => Promise<T>) => Promise<T>;

export type AccessTokenDeps = {
  refresh: () => Promise<Session>;
  clock: Clock;
  exclusive: Exclusive;
  /** A renewal has brought this session. */
  onRenewed: (session: Session) => void;
  /** The edge has refused the renewal: the session is over. */
  onOver: () => void;
};

export function createAccessToken({
  refresh,
  clock,
  exclusive,
  onRenewed,
  onOver,
}: AccessTokenDeps) {
  let token: string | null = null;
  let endsAtMs = 0;
  let renewing: Promise<string | null> | null = null;
  let cancelRenewal: Cancel = () => {};

  function hold(session: Session): void {
    const statedMs = Date.parse(session.expiresAt);
    token = session.accessToken;
    endsAtMs = statedMs > clock.now() ? statedMs : clock.now() + tokenLifeAssumedMs;
    plan(endsAtMs - clock.now() - renewBeforeEndMs, 0);
  }

  function drop(): void {
    cancelRenewal();
    token = null;
  }

  function plan(delayMs: number, attempt: number): void {
    cancelRenewal();
    cancelRenewal = clock.after(Math.max(delayMs, tokenLifeLeftMinMs), () => {
      renew().catch(() => {
        if (attempt < renewRetriesMax) plan(backoffMs(attempt, requestBackoff), attempt + 1);
      });
    });
  }

  async function refreshAfterOthers(): Promise<Session> {
    for (let retry = 0; ; retry += 1) {
      try {
        return await refresh();
      } catch (error) {
        if (!hasCode(error, 'session-renewed') || retry >= otherTabRetriesMax) throw error;
        await pause(clock, otherTabPauseMs);
      }
    }
  }

  async function renewOnce(): Promise<string | null> {
    try {
      const session = await exclusive(refreshAfterOthers);
      hold(session);
      onRenewed(session);
      return session.accessToken;
    } catch (error) {
      // Without an answer the session is not over, and neither is one that was renewed elsewhere.
      if (hasCode(error, 'session-renewed') || isTransient(error)) throw error;
      drop();
      onOver();
      return null;
    }
  }

  /** One renewal at a time; every caller shares its outcome. Rejects only when no answer came. */
  function renew(): Promise<string | null> {
    renewing ??= renewOnce().finally(() => {
      renewing = null;
    });
    return renewing;
  }

  const source: TokenSource = {
    async current() {
      if (token && endsAtMs - clock.now() < tokenLifeLeftMinMs) return renew();
      return token;
    },
    async renew(stale) {
      return token && token !== stale ? token : renew();
    },
  };

  return {
    source,
    hold,
    drop,
    renew,
    /** Goes on trying behind the page after a renewal that got no answer. */
    retryLater: () => plan(backoffMs(0, requestBackoff), 1),
    /** Resolves when no renewal is under way. */
    quiet: async (): Promise<void> => void (await renewing?.catch(() => null)),
  };
}
