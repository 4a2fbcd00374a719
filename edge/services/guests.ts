// Guests: who has passed the age gate without an account, kept in a cookie of their own browser.
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { type Guest, guestTtlSeconds } from '#contract';
import type { AppEnv, Deps } from '../deps.ts';
import { isSecure } from './secure-origin.ts';

const cookieName = (deps: Deps) =>
  isSecure(deps.config) ? '__Secure-livepanty_guest' : 'livepanty_guest';

/** The guest that the request's cookie tells of; null for nobody. */
export async function findGuest(
  deps: Deps,
  c: Context<AppEnv>,
): Promise<Pick<Guest, 'id' | 'country'> | null> {
  const token = getCookie(c, cookieName(deps));
  return token ? deps.signer.verifyGuestToken(token) : null;
}

/** Lets somebody pass as a guest for a while. */
export async function admitGuest(deps: Deps, c: Context<AppEnv>, country: string): Promise<Guest> {
  const guest = { id: crypto.randomUUID(), country };
  const { token, expiresAt } = await deps.signer.guestToken(guest);
  setCookie(c, cookieName(deps), token, {
    httpOnly: true,
    secure: isSecure(deps.config),
    sameSite: 'Lax',
    path: '/v1',
    maxAge: guestTtlSeconds,
  });
  return { ...guest, expiresAt: expiresAt.toISOString() };
}
