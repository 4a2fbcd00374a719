// A session as the edge answers it, for tests that care for little of it.
import type { Session } from '#contract';

export function anySession(accessToken: string): Session {
  return {
    accessToken,
    expiresAt: '2026-01-01T00:00:00.000Z',
    user: {
      id: 'u',
      email: 'a@b.c',
      username: 'ann',
      emailVerified: true,
      role: 'performer',
      country: 'IN',
      createdAt: '2026-01-01T00:00:00.000Z',
    },
  };
}
