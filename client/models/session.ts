// The session: who is logged in, here and in the other tabs of this browser.

import { computed, signal } from '@preact/signals';
import type { Me, RegisterBody, Session } from '#contract';
import { createAccessToken, type Exclusive } from './access-token.ts';
import type { AuthApi } from './api.ts';
import type { Clock } from './clock.ts';

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

  const token = createAccessToken({
    refresh: auth.refresh,
    clock,
    exclusive,
    onRenewed: (session) => show(session.user),
    onOver: () => show(null),
  });

  function show(me: Me | null): void {
    user.value = me;
    hint.set(me !== null);
  }

  function accept(session: Session): void {
    token.hold(session);
    show(session.user);
  }

  function forget(): void {
    token.drop();
    show(null);
  }

  async function begin(opening: Promise<Session>): Promise<void> {
    accept(await opening);
    news.tell('logged-in');
  }

  news.listen((heard) => {
    if (heard === 'logged-out') forget();
    else if (!user.peek()) token.renew().catch(() => token.retryLater());
  });

  return {
    user,
    restoring,
    isAdmin: computed(() => user.value?.role === 'admin'),
    tokens: token.source,
    /** Takes up the session of an earlier visit, if there is one. */
    async restore(): Promise<void> {
      if (hint.get()) await token.renew().catch(() => token.retryLater());
      restoring.value = false;
    },
    register: (body: RegisterBody) => begin(auth.register(body)),
    /** `keepAccount`: one that is closed is had back. */
    login: (email: string, password: string, keepAccount = false) =>
      begin(auth.login({ email, password, keepAccount })),
    loginWithCode: (answer: Parameters<AuthApi['loginWithCode']>[0]) =>
      begin(auth.loginWithCode(answer)),
    askForPasskey: auth.askForPasskey,
    loginWithPasskey: (answer: Parameters<AuthApi['loginWithPasskey']>[0]) =>
      begin(auth.loginWithPasskey(answer)),
    /** Logs in whoever has opened the link that was mailed to them. */
    loginByLink: (secret: string) => begin(auth.loginByLink({ token: secret })),
    /** Takes up what this session has become, such as one in which a second factor was shown. */
    accept,
    /** Learns what has changed about the account, where somebody is logged in. */
    async refresh(): Promise<void> {
      if (user.peek()) await token.renew();
    },
    /** The session was ended elsewhere, by something that was done here. */
    forget,
    async rename(username: string): Promise<void> {
      const current = await token.source.current();
      if (current) accept(await auth.rename(current, username));
    },
    async becomePerformer(): Promise<void> {
      const current = await token.source.current();
      if (current) accept(await auth.becomePerformer(current));
    },
    async logout(): Promise<void> {
      // A renewal under way would log in again behind the person's back.
      await token.quiet();
      await auth.logout();
      forget();
      news.tell('logged-out');
    },
  };
}
export type SessionModel = ReturnType<typeof createSession>;
