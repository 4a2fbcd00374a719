// Offers: takes one to the node that was chosen for it, and brings its answer back.
import type { Context } from 'hono';
import {
  type HttpMediaKind,
  nodeHttpUrl,
  type ProblemCode,
  ProblemDocument,
  sdpMediaType,
} from '#contract';
import type { AppEnv } from '../deps.ts';
import { describeError, type Problem, problem } from '../problem.ts';

/** A node waits for media of another one for a few seconds; encoders wait for eight. */
const nodeTimeoutMs = 7_000;
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

/** Refuses `unsupported-media-type` what is no offer. */
export function requireOffer(c: Context<AppEnv>): void {
  const [type = ''] = (c.req.header('content-type') ?? '').split(';');
  if (type.trim().toLowerCase() === sdpMediaType) return;
  c.header('accept-post', sdpMediaType);
  throw problem('unsupported-media-type');
}

/**
 * The node's own answer, with its address in full: what changes or ends the connection later goes there, and not
 * through here. Whoever knows the address (256 random bits, told once) may do so and shows neither key nor ticket: a
 * node cannot read keys, and one that is asked for again would have to travel to it.
 */
export async function answerOffer(
  c: Context<AppEnv>,
  kind: HttpMediaKind,
  room: { url: string; ticket: string },
): Promise<Response> {
  const target = nodeHttpUrl(room.url, kind);
  const answer = await ask(c, target, room.ticket);
  if (answer.status !== 201) throw await refusalOf(c, answer);
  const location = new URL(answer.headers.get('location') ?? '', target);
  if (location.origin !== target.origin) {
    c.get('log').warn('a node answered with an address elsewhere', { node: target.origin });
    throw problem('media-unavailable');
  }
  c.header('location', location.href);
  for (const name of ['etag', 'accept-patch', 'link']) {
    const value = answer.headers.get(name);
    if (value) c.header(name, value);
  }
  return c.body(await answer.text(), 201, { 'content-type': sdpMediaType });
}

async function ask(c: Context<AppEnv>, target: URL, ticket: string): Promise<Response> {
  const accept = c.req.header('accept');
  try {
    return await fetch(target, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${ticket}`,
        'content-type': sdpMediaType,
        ...(accept === undefined ? {} : { accept }),
      },
      body: await c.req.text(),
      redirect: 'manual',
      signal: AbortSignal.timeout(nodeTimeoutMs),
    });
  } catch (error) {
    const told = { node: target.origin, error: describeError(error) };
    c.get('log').warn('a node did not answer an offer', told);
    throw problem('media-unavailable');
  }
}

/** What a node refuses with, as far as it concerns whoever sent the offer. */
async function refusalOf(c: Context<AppEnv>, answer: Response): Promise<Problem> {
  const told = ProblemDocument.safeParse(await answer.json().catch(() => null));
  const retryAfter = answer.headers.get('retry-after');
  if (retryAfter) c.header('retry-after', retryAfter);
  if (told.success && theirs.includes(told.data.code)) {
    const { code, detail } = told.data;
    return problem(code, detail === undefined ? {} : { detail });
  }
  c.get('log').warn('a node refused an offer', {
    status: answer.status,
    code: told.success ? told.data.code : null,
  });
  return problem('media-unavailable');
}
