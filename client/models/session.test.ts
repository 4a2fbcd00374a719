import { expect, test } from 'vitest';
import type { Session } from '#contract';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { otherTabPauseMs, otherTabRetriesMax, renewBeforeEndMs } from './access-token.ts';
import type { AuthApi } from './api.ts';
import { ApiError } from './api-error.ts';
import { createSession } from './session.ts';

const lifeMs = 600_000;

function createScene() {
  const clock = createManualClock();
  const refreshes: PromiseWithResolvers<Session>[] = [];
  const told: string[] = [];
  let hear: (news: 'logged-in' | 'logged-out') => void = () => {};
  let hinted = true;
  let queue: Promise<unknown> = Promise.resolve();

  const sessionOf = (accessToken: string): Session => ({
    accessToken,
    expiresAt: new Date(clock.now() + lifeMs).toISOString(),
    user: {
      id: 'u',
      email: 'a@b.c',
      username: 'ann',
      emailVerified: true,
      role: 'viewer',
      country: 'IN',
      createdAt: new Date(clock.now()).toISOString(),
    },
  });

  const auth: AuthApi = {
    register: async () => sessionOf('registered'),
    login: async () => sessionOf('first'),
    loginWithCode: async () => sessionOf('with-code'),
    askForPasskey: async () => ({ challengeId: 'c', options: { challenge: 'AAAA' } }),
    loginWithPasskey: async () => sessionOf('with-passkey'),
    loginByLink: async () => sessionOf('by link'),
    refresh() {
      const asked = Promise.withResolvers<Session>();
      refreshes.push(asked);
      return asked.promise;
    },
    logout: async () => {},
    becomePerformer: async () => sessionOf('performer'),
    rename: async () => sessionOf('renamed'),
  };

  const session = createSession({
    auth,
    clock,
    exclusive: (work) => {
      const done = queue.then(work);
      queue = done.catch(() => null);
      return done;
    },
    news: {
      tell: (news) => told.push(news),
      listen: (listener) => {
        hear = listener;
      },
    },
    hint: {
      get: () => hinted,
      set: (present) => {
        hinted = present;
      },
    },
  });
  return {
    clock,
    session,
    refreshes,
    sessionOf,
    told,
    tellTab: (news: 'logged-out') => hear(news),
  };
}

test('many requests with a refused token share one refresh', async () => {
  const { session, refreshes, sessionOf } = createScene();
  await session.login('a@b.c', 'secret');
  const renewals = [1, 2, 3].map(() => session.tokens.renew('first'));
  await settled();
  expect(refreshes).toHaveLength(1);
  refreshes[0]?.resolve(sessionOf('second'));
  expect(await Promise.all(renewals)).toEqual(['second', 'second', 'second']);
});

test('a request that was refused with an older token gets the newer one without a refresh', async () => {
  const { session, refreshes } = createScene();
  await session.login('a@b.c', 'secret');
  expect(await session.tokens.renew('older')).toBe('first');
  expect(refreshes).toHaveLength(0);
});

test('the token is renewed silently before it ends', async () => {
  const { clock, session, refreshes, sessionOf } = createScene();
  await session.login('a@b.c', 'secret');
  await clock.advance(lifeMs - renewBeforeEndMs - 1);
  expect(refreshes).toHaveLength(0);
  await clock.advance(1);
  expect(refreshes).toHaveLength(1);
  refreshes[0]?.resolve(sessionOf('second'));
  await settled();
  expect(await session.tokens.current()).toBe('second');
});

test('a token that has ended while the machine slept is renewed before it is sent', async () => {
  const { clock, session, refreshes, sessionOf } = createScene();
  await session.login('a@b.c', 'secret');
  await clock.advance(lifeMs - renewBeforeEndMs);
  refreshes[0]?.reject(new ApiError('network', 0, null, 'lost'));
  await clock.advance(renewBeforeEndMs);
  const asked = session.tokens.current();
  await settled();
  refreshes[refreshes.length - 1]?.resolve(sessionOf('awake'));
  expect(await asked).toBe('awake');
});

test('a refused refresh logs out; a refresh without an answer does not', async () => {
  const { session, refreshes } = createScene();
  await session.login('a@b.c', 'secret');
  const lost = session.tokens.renew('first');
  await settled();
  refreshes[0]?.reject(new ApiError('network', 0, null, 'lost'));
  await expect(lost).rejects.toMatchObject({ code: 'network' });
  expect(session.user.value?.username).toBe('ann');

  const refused = session.tokens.renew('first');
  await settled();
  refreshes[1]?.reject(new ApiError('session-expired', 401, null, 'over'));
  expect(await refused).toBeNull();
  expect(session.user.value).toBeNull();
});

test('a session that another tab renewed a moment ago is asked for again, and logs out nobody', async () => {
  const { clock, session, refreshes, sessionOf } = createScene();
  await session.login('a@b.c', 'secret');
  const renewed = new ApiError('session-renewed', 409, null, 'renewed');
  const asked = session.tokens.renew('first');
  await settled();
  refreshes[0]?.reject(renewed);
  await settled();
  expect(refreshes).toHaveLength(1);
  await clock.advance(otherTabPauseMs);
  refreshes[1]?.resolve(sessionOf('second'));
  expect(await asked).toBe('second');

  const never = session.tokens.renew('second').catch((error: unknown) => error);
  for (let retry = 0; retry <= otherTabRetriesMax; retry += 1) {
    await settled();
    refreshes[2 + retry]?.reject(renewed);
    await settled();
    await clock.advance(otherTabPauseMs);
  }
  expect(await never).toMatchObject({ code: 'session-renewed' });
  expect(session.user.value?.username).toBe('ann');
});

test('a log-out is not undone by a refresh that was under way', async () => {
  const { session, refreshes, sessionOf, told } = createScene();
  await session.login('a@b.c', 'secret');
  session.tokens.renew('first');
  const leaving = session.logout();
  await settled();
  refreshes[0]?.resolve(sessionOf('late'));
  await leaving;
  await settled();
  expect(session.user.value).toBeNull();
  expect(await session.tokens.current()).toBeNull();
  expect(told).toEqual(['logged-in', 'logged-out']);
});

test('a log-out in another tab logs out here', async () => {
  const { session, tellTab } = createScene();
  await session.login('a@b.c', 'secret');
  tellTab('logged-out');
  expect(session.user.value).toBeNull();
});

test('a session in which a second factor was shown takes the place of the one before', async () => {
  const { session, sessionOf, refreshes } = createScene();
  await session.login('a@b.c', 'secret');
  session.accept(sessionOf('proven'));
  expect(await session.tokens.current()).toBe('proven');
  expect(await session.tokens.renew('first')).toBe('proven');
  expect(refreshes).toHaveLength(0);
});

test('logging in with a code or with a passkey is told to the other tabs', async () => {
  const { session, told } = createScene();
  await session.loginWithCode({ challengeId: 'c', code: '123456' });
  expect(await session.tokens.current()).toBe('with-code');
  expect(told).toEqual(['logged-in']);
});
