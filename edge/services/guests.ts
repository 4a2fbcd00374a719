// Guests: who has passed the age gate without an account, kept in a cookie of their own browser.
import type { Context } from 'hono';
import { type Guest, guestTtlSeconds } from '#contract';
import type { AppEnv, Deps } from '../deps.ts';
import { keepCookie, readCookie } from './cookies.ts';

/** The guest that the request's cookie tells of; null for nobody. */
export async function findGuest(
  deps: Deps,
  c: Context<AppEnv>,
): Promise<Pick<Guest, 'id' | 'country'> | null> {
  const token = readCookie(deps, c, 'guest');
  return token ? deps.signer.verifyGuestToken(token) : null;
}

/** Lets somebody pass as a guest for a while. */
export async function admitGuest(deps: Deps, c: Context<AppEnv>, country: string): Promise<Guest> {
  const guest = { id: crypto.randomUUID(), country };
  const { token, expiresAt } = await deps.signer.guestToken(guest);
  keepCookie(deps, c, { name: 'guest', value: token, ttlSeconds: guestTtlSeconds });
  return { ...guest, expiresAt: expiresAt.toISOString() };
}
