// Versions: which state of a thing an answer shows, and a change means (RFC 9110, section 8.8.3 and 13.1.1).
import type { Context } from 'hono';
import type { AppEnv } from '../deps.ts';
import { problem } from '../problem.ts';
import { sha256 } from './secrets.ts';

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

/** Names an answer by what it says, and says no more than that where the asker has it already. */
export async function answerUnchanged<T extends Response>(
  c: Context<AppEnv>,
  answer: T,
): Promise<T> {
  const hash = await sha256(await answer.clone().text());
  const name = `W/"${btoa(String.fromCharCode(...hash.slice(0, 12)))}"`;
  answer.headers.set('etag', name);
  const known = (c.req.header('if-none-match') ?? '').split(',').map((one) => one.trim());
  if (!known.includes(name)) return answer;
  const unchanged = new Response(null, { status: 304, headers: answer.headers });
  unchanged.headers.delete('content-type');
  // A browser takes it for the answer that it has.
  return unchanged as T;
}
