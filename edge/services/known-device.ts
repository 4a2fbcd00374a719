// Known devices: what a browser keeps so that it is told from a stranger's, for as long as it comes back.
import type { Context } from 'hono';
import type { AppEnv, Deps } from '../deps.ts';
import { keepCookie, readCookie } from './cookies.ts';
import { randomToken, sha256 } from './secrets.ts';

const keptSeconds = 180 * 24 * 3600;

/** The hash of what the browser keeps; of nothing that anybody has when it keeps nothing. */
export async function deviceHash(deps: Deps, c: Context<AppEnv>): Promise<Uint8Array> {
  return sha256(readCookie(deps, c, 'device') ?? randomToken());
}

/** Gives the browser something to be known by, unless it has it, and answers its hash. */
export async function knowDevice(deps: Deps, c: Context<AppEnv>): Promise<Uint8Array> {
  const token = readCookie(deps, c, 'device') ?? randomToken();
  keepCookie(deps, c, { name: 'device', value: token, ttlSeconds: keptSeconds });
  return sha256(token);
}
