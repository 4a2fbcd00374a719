// Known devices: what a browser keeps so that it is told from a stranger's, for as long as it comes back.
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { AppEnv, Deps } from '../deps.ts';
import { randomToken, sha256 } from './secrets.ts';
import { isSecure } from './secure-origin.ts';

const cookiePath = '/v1/auth';
const keptSeconds = 180 * 24 * 3600;
const cookieName = (deps: Deps) =>
  isSecure(deps.config) ? '__Secure-livepanty_device' : 'livepanty_device';

/** The hash of what the browser keeps; of nothing that anybody has when it keeps nothing. */
export async function deviceHash(deps: Deps, c: Context<AppEnv>): Promise<Uint8Array> {
  return sha256(getCookie(c, cookieName(deps)) ?? randomToken());
}

/** Gives the browser something to be known by, unless it has it, and answers its hash. */
export async function knowDevice(deps: Deps, c: Context<AppEnv>): Promise<Uint8Array> {
  const token = getCookie(c, cookieName(deps)) ?? randomToken();
  setCookie(c, cookieName(deps), token, {
    httpOnly: true,
    secure: isSecure(deps.config),
    sameSite: 'Strict',
    path: cookiePath,
    maxAge: keptSeconds,
  });
  return sha256(token);
}
