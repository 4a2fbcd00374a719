// Shared answers: what strangers are told alike, kept by caches in front of us; and what one person alone is told.
import type { Context, TypedResponse } from 'hono';
import type { ReadStatement } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { sendJson } from './json-text.ts';
import { base64url, sha256 } from './secrets.ts';

/** A cache in front of us asks again after so long, and may answer with what it has while it asks. */
const sharedSeconds = 5;
const staleSeconds = 10;
/** A browser asks again after so long. */
const ownSeconds = 2;

/** Whether somebody asks of whom nothing is known: neither an account nor a guest who has passed the age gate. */
function isStranger(c: Context<AppEnv>): boolean {
  return c.get('visitor') === null && c.get('guest') === null;
}

/** What a page of this kind says to a visitor: to strangers who ask at once one answer, to others their own. */
export function readForVisitor(
  deps: Deps,
  c: Context<AppEnv>,
  statement: ReadStatement,
  page: object,
): Promise<string> {
  const read = isStranger(c) ? deps.reads.shared : deps.reads.one;
  return read(statement, [JSON.stringify(page)]);
}

/** Tags of what strangers were told lately, so that it is hashed once; the oldest go first. */
const knownTagsMax = 50;
const knownTags = new Map<string, string>();

async function tagOf(text: string): Promise<string> {
  return `W/"${base64url((await sha256(text)).subarray(0, 12))}"`;
}

async function knownTagOf(text: string): Promise<string> {
  const known = knownTags.get(text);
  if (known) return known;
  const tag = await tagOf(text);
  const [oldest] = knownTags.keys();
  if (knownTags.size >= knownTagsMax && oldest !== undefined) knownTags.delete(oldest);
  knownTags.set(text, tag);
  return tag;
}

/**
 * Answers JSON text to a visitor: to all strangers the same, for caches to share, and to everybody else for themselves.
 * Whoever has the same already is told no more than that (RFC 9110, section 13.1.2).
 */
export async function answerVisitor<T>(
  c: Context<AppEnv>,
  text: string,
): Promise<Response & TypedResponse<T, 200, 'json'>> {
  const tag = await (isStranger(c) ? knownTagOf(text) : tagOf(text));
  c.header('etag', tag);
  c.header('vary', 'authorization, cookie', { append: true });
  c.header(
    'cache-control',
    isStranger(c)
      ? `public, max-age=${ownSeconds}, s-maxage=${sharedSeconds}, stale-while-revalidate=${staleSeconds}`
      : `private, max-age=${ownSeconds}`,
  );
  const answer = sendJson<T>(c, text);
  if (!hasTag(c.req.header('if-none-match'), tag)) return answer;
  const { headers } = answer;
  headers.delete('content-type');
  // Whoever sends a tag has the body already: a browser hands on that one, with 200.
  return new Response(null, { status: 304, headers }) as typeof answer;
}

/** Compared weakly: what is equal but for its encoding is the same (RFC 9110, section 8.8.3.2). */
function hasTag(wanted: string | undefined, tag: string): boolean {
  const known = wanted?.split(',').map((each) => each.trim().replace(/^W\//, ''));
  return known?.some((each) => each === '*' || `W/${each}` === tag) ?? false;
}
