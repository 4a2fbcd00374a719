// The session: who is logged in, and the access token, which is kept in memory only.

import { computed, signal } from '@preact/signals';
import type { Me, RegisterBody, Session } from '#contract';
import type { AuthApi, TokenSource } from './api.ts';
import { isTransient } from './api-error.ts';
import { backoffMs, requestBackoff } from './backoff.ts';
import type { Cancel, Clock } from './clock.ts';

/** The token is renewed so long before it ends. */
export const renewBeforeEndMs = 60_000;
/** A request that would leave with less life than this waits for a new token first. */
export const tokenLifeLeftMinMs = 5_000;
/** A token that seems to have ended already when it arrives: this clock is wrong, so the edge decides. */
export const tokenLifeAssumedMs = 120_000;
export const renewRetriesMax = 8;

/** Runs `work` in one tab of this browser at a time, so that tabs do not spend the same cookie. */
export type Exclusive = <T>(work: () => Promise<T>) => Promise<T>;

/** News between the tabs of one browser. */
export type TabNews = {
  tell(news: 'logged-in' | 'logged-out'): void;
  listen(hear: (news: 'logged-in' | 'logged-out') => void): void;
};

/** Remembers across visits that there may be a session to restore; holds no secret. */
export type SessionHint = { get(): boolean; set(present: boolean): void };

export type SessionDeps = {
  auth: AuthApi;
  clock: Clock;
  exclusive: Exclusive;
  news: TabNews;
  hint: SessionHint;
};

export function createSession({ auth, clock, exclusive, news, hint }: SessionDeps) {
  const user = signal<Me | null>(null);
  const restoring = signal(true);
  let token: string | null = null;
  let tokenEndsAt = 0;
  let renewing: Promise<string | null> | null = null;
  let cancelRenewal: Cancel = () => {};

  function accept(session: Session): string {
    const endsAt = Date.parse(session.expiresAt);
    token = session.accessToken;
    tokenEndsAt = endsAt > clock.now() ? endsAt : clock.now() + tokenLifeAssumedMs;
    user.value = session.user;
    hint.set(true);
    planRenewal(tokenEndsAt - clock.now() - renewBeforeEndMs, 0);
    return session.accessToken;
  }

  function forget(): void {
    cancelRenewal();
    token = null;
    user.value = null;
    hint.set(false);
  }

  function planRenewal(delayMs: number, attempt: number): void {
    cancelRenewal();
    cancelRenewal = clock.after(Math.max(delayMs, tokenLifeLeftMinMs), () => {
      renew().catch(() => {
        if (attempt < renewRetriesMax) planRenewal(backoffMs(attempt, requestBackoff), attempt + 1);
      });
    });
  }

  /** One refresh at a time; every caller shares its outcome. Rejects only when no answer came. */
  function renew(): Promise<string | null> {
    renewing ??= exclusive(() => auth.refresh())
      .then(accept)
      .catch((error: unknown) => {
        if (isTransient(error)) throw error;
        forget();
        return null;
      })
      .finally(() => {
        renewing = null;
      });
    return renewing;
  }

  const tokens: TokenSource = {
    async current() {
      if (token && tokenEndsAt - clock.now() < tokenLifeLeftMinMs) return renew();
      return token;
    },
    async renew(stale) {
      return token && token !== stale ? token : renew();
    },
  };

  async function begin(opening: Promise<Session>): Promise<void> {
    accept(await opening);
    news.tell('logged-in');
  }

  async function restore(): Promise<void> {
    // Without an answer the session is not over: the renewal goes on trying behind the page.
    if (hint.get()) await renew().catch(() => planRenewal(backoffMs(0, requestBackoff), 1));
    restoring.value = false;
  }

  news.listen((heard) => {
    if (heard === 'logged-out') forget();
    else if (!token) renew().catch(() => null);
  });

  return {
    user,
    restoring,
    isPerformer: computed(() => user.value?.role === 'performer'),
    isAdmin: computed(() => user.value?.role === 'admin'),
    tokens,
    restore,
    register: (body: RegisterBody) => begin(auth.register(body)),
    login: (email: string, password: string) => begin(auth.login({ email, password })),
    async becomePerformer(): Promise<void> {
      const current = await tokens.current();
      if (current) accept(await auth.becomePerformer(current));
    },
    async logout(): Promise<void> {
      // A refresh under way would log in again behind the person's back.
      await renewing?.catch(() => null);
      await auth.logout();
      forget();
      news.tell('logged-out');
    },
  };
}
export type SessionModel = ReturnType<typeof createSession>;
