// Offers: takes one to the node that was chosen for it, and brings its answer back.
import type { Context } from 'hono';
import {
  type HttpMediaKind,
  nodeHttpUrl,
  type ProblemCode,
  ProblemDocument,
  type RoomGrant,
  sdpMediaType,
} from '#contract';
import type { AppEnv, Deps } from '../deps.ts';
import { describeError, type Problem, problem } from '../problem.ts';
import { iceLinks } from './ice-links.ts';
import { isMediaUrl } from './media-origins.ts';

/** A node waits for media of another one for a few seconds; encoders wait for eight. */
const nodeTimeoutMs = 7_000;
/** An answer lists no more than its offer, and some candidates. */
const answerCharsMax = 64 * 1024;
/** Whoever finds no node comes again after so long. */
const retryAfterSeconds = 2;
/** What comes from a node and means something to whoever sent the offer. Anything else is between it and us. */
const theirs: readonly ProblemCode[] = [
  'malformed-sdp',
  'offer-refused',
  'not-acceptable',
  'already-published',
  'stream-ended',
  'stream-not-live',
  'rate-limited',
];
export const offerProblems = [...theirs, 'media-unavailable'] as const;

interface NodeAnswer {
  status: number;
  headers: Headers;
  text: string;
}

/** Refuses `unsupported-media-type` what is no offer. */
export function requireOffer(c: Context<AppEnv>): void {
  if (mediaTypeOf(c.req.header('content-type')) === sdpMediaType) return;
  c.header('accept-post', sdpMediaType);
  throw problem('unsupported-media-type');
}

/**
 * The node's own answer, with its address in full: what changes or ends the connection later goes there, and not
 * through here. Whoever knows the address (256 random bits, told once) may do so and shows neither key nor ticket: a
 * node cannot read keys, and one that is asked for again would have to travel to it.
 */
export async function answerOffer(
  deps: Pick<Deps, 'config'>,
  c: Context<AppEnv>,
  kind: HttpMediaKind,
  room: RoomGrant,
): Promise<Response> {
  const target = nodeHttpUrl(room.url, kind);
  // The offer and its ticket go to nobody whom the configuration does not name.
  if (!isMediaUrl(deps.config, room.url)) throw unavailable(c, target, 'it is not one of ours');
  const answer = await ask(c, target, room.ticket);
  if (answer.status !== 201) throw refusalOf(c, target, answer);
  if (mediaTypeOf(answer.headers.get('content-type')) !== sdpMediaType) {
    throw unavailable(c, target, 'its answer is no session description');
  }
  const location = locationOf(answer, target);
  if (!location) throw unavailable(c, target, 'it names an address that is not its own');
  c.header('location', location.href);
  for (const name of ['etag', 'accept-patch']) {
    const value = answer.headers.get(name);
    if (value) c.header(name, value);
  }
  for (const link of iceLinks(room.iceServers)) c.header('link', link, { append: true });
  // The address is a key to the connection, and the relays' credentials are somebody's own.
  return c.body(answer.text, 201, { 'content-type': sdpMediaType, 'cache-control': 'no-store' });
}

async function ask(c: Context<AppEnv>, target: URL, ticket: string): Promise<NodeAnswer> {
  const accept = c.req.header('accept');
  const body = await c.req.text();
  try {
    const answer = await fetch(target, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${ticket}`,
        'content-type': sdpMediaType,
        ...(accept === undefined ? {} : { accept }),
      },
      body,
      // Followed, it would lead the ticket wherever the node says.
      redirect: 'manual',
      // Counts until the body is read.
      signal: AbortSignal.timeout(nodeTimeoutMs),
    });
    return { status: answer.status, headers: answer.headers, text: await readText(answer) };
  } catch (error) {
    throw unavailable(c, target, describeError(error));
  }
}

/** Throws when it is longer than any answer. */
async function readText({ body }: Response): Promise<string> {
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) return text;
    text += value;
    if (text.length > answerCharsMax) {
      await reader?.cancel();
      throw new Error('the answer is too long');
    }
  }
}

/** Where the connection is; null for an address that is not below the one that was asked. */
function locationOf({ headers }: NodeAnswer, target: URL): URL | null {
  const told = headers.get('location');
  if (told === null || !URL.canParse(told, target.href)) return null;
  const location = new URL(told, target);
  return location.href.startsWith(`${target.href}/`) ? location : null;
}

/** What a node refuses with, as far as it concerns whoever sent the offer. */
function refusalOf(
  c: Context<AppEnv>,
  target: URL,
  { status, headers, text }: NodeAnswer,
): Problem {
  const told = ProblemDocument.safeParse(jsonOf(text));
  if (!told.success || !theirs.includes(told.data.code)) {
    const code = told.success ? ` (${told.data.code})` : '';
    return unavailable(c, target, `it answers ${status}${code}`);
  }
  const retryAfter = headers.get('retry-after');
  if (retryAfter && /^\d{1,4}$/.test(retryAfter)) c.header('retry-after', retryAfter);
  const { code, detail } = told.data;
  return problem(code, detail === undefined ? {} : { detail });
}

function unavailable(c: Context<AppEnv>, target: URL, why: string): Problem {
  c.get('log').warn('a node did not take an offer', { node: target.origin, why });
  c.header('retry-after', String(retryAfterSeconds));
  return problem('media-unavailable');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy in front of the node has its own words.
    return null;
  }
}

const mediaTypeOf = (header: string | null | undefined): string =>
  (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
