// Cookies: secrets that a browser keeps for our own pages alone, and that no script reads.
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { AppEnv, Deps } from '../deps.ts';
import { isSecure } from './secure-origin.ts';

type CookieName = 'refresh' | 'device' | 'guest';

/** A browser takes a cookie of this prefix over https alone, of this host and for no other (RFC 6265bis, 4.1.3.2). */
const nameOf = ({ config }: Pick<Deps, 'config'>, name: CookieName) =>
  `${isSecure(config) ? '__Host-' : ''}livepanty_${name}`;

export function readCookie(
  deps: Pick<Deps, 'config'>,
  c: Context<AppEnv>,
  name: CookieName,
): string | undefined {
  return getCookie(c, nameOf(deps, name));
}

export function keepCookie(
  deps: Pick<Deps, 'config'>,
  c: Context<AppEnv>,
  cookie: { name: CookieName; value: string; ttlSeconds: number },
): void {
  setCookie(c, nameOf(deps, cookie.name), cookie.value, {
    httpOnly: true,
    secure: isSecure(deps.config),
    sameSite: 'Strict',
    path: '/',
    maxAge: cookie.ttlSeconds,
  });
}

export function dropCookie(deps: Pick<Deps, 'config'>, c: Context<AppEnv>, name: CookieName): void {
  deleteCookie(c, nameOf(deps, name), { path: '/', secure: isSecure(deps.config) });
}
