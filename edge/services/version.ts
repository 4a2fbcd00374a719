// Versions: which state of a thing an answer shows, and a change means (RFC 9110, section 8.8.3 and 13.1.1).
import type { Context } from 'hono';
import type { AppEnv } from '../deps.ts';
import { problem } from '../problem.ts';

/** Says with an answer which version of the thing it shows. */
export function giveVersion<T extends Response>(
  _: Context<AppEnv>,
  thing: { version: number },
  answer: T,
): T {
  answer.headers.set('etag', `"${thing.version}"`);
  return answer;
}

/** The version that a change means. Throws `precondition-required`, and `precondition-failed` for one that is none. */
export function wantedVersion(c: Context<AppEnv>): number {
  const wanted = c.req.header('if-match');
  if (wanted === undefined) throw problem('precondition-required');
  const [, version] = /^"(\d{1,9})"$/.exec(wanted.trim()) ?? [];
  if (version === undefined) throw problem('precondition-failed');
  return Number(version);
}
