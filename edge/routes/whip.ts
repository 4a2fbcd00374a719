// WHIP and WHEP: where encoders publish and other players play by HTTP (RFC 9725, draft-ietf-wish-whep).
import { Hono, type MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { Id, notLiveRetryAfterSeconds, type ProblemCode, sdpMediaType } from '#contract';
import { Refusal } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { Problem, problem } from '../problem.ts';
import { grantByStreamKey } from '../services/ingest.ts';
import { answerOffer, offerProblems, requireOffer } from '../services/offer.ts';
import { operation } from '../services/operation.ts';
import { countRead, limits, readLimits } from '../services/rate-limit.ts';
import { grantWatch } from '../services/tickets.ts';
import { validate } from '../services/validate.ts';

const tag = 'WHIP and WHEP';
const allow = 'GET, HEAD, OPTIONS, POST';
/** How long a player that finds no room waits before it comes again. */
const noRoomRetryAfterSeconds = 10;

export function whipRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .post(
      '/',
      operation(deps, {
        summary:
          'Publish by WHIP: an SDP offer, with the stream key as the bearer token; Location is at the node that takes it',
        tag,
        takes: sdpMediaType,
        answers: [201, [sdpMediaType]],
        problems: [
          ...offerProblems,
          'unauthenticated',
          'account-banned',
          'forbidden',
          'not-found',
          'stream-limit',
        ],
        access: 'anyone',
        limit: limits.ingest,
      }),
      async (c) => {
        requireOffer(c);
        const granting = grantByStreamKey(deps, c, { protocol: 'whip', streamId: null });
        const { room } = await whenRefused(granting, 'unauthenticated', () =>
          c.header('www-authenticate', 'Bearer'),
        );
        return answerOffer(deps, c, 'whip', room);
      },
    )
    .all('/', otherMethods(deps));
}

export function whepRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .post(
      '/:streamId',
      operation(deps, {
        summary:
          'Play by WHEP: an SDP offer, of whoever may watch; Location is at the node that plays',
        tag,
        takes: sdpMediaType,
        answers: [201, [sdpMediaType]],
        problems: [
          ...offerProblems,
          'invalid-request',
          'not-found',
          'age-gate-needed',
          'followers-only',
          'entry-needed',
          'country-blocked',
          'blocked',
        ],
        access: 'visitor',
        limit: limits.ticket,
      }),
      validate('param', z.object({ streamId: Id })),
      async (c) => {
        requireOffer(c);
        const granting = grantWatch(deps, c, c.req.valid('param').streamId);
        const { transport, room } = await whenRefused(granting, 'stream-not-live', () =>
          c.header('retry-after', String(notLiveRetryAfterSeconds)),
        );
        if (transport === 'webrtc') return answerOffer(deps, c, 'whep', room);
        c.header('retry-after', String(noRoomRetryAfterSeconds));
        throw problem('media-unavailable');
      },
    )
    .all('/:streamId', otherMethods(deps));
}

/** Does something more before a refusal with this code goes on. */
async function whenRefused<T>(work: Promise<T>, code: ProblemCode, also: () => void): Promise<T> {
  return work.catch((error: unknown) => {
    const isRefused = error instanceof Problem || error instanceof Refusal;
    if (isRefused && error.code === code) also();
    throw error;
  });
}

/** They have nothing to show, say so, and take offers alone (RFC 9725, section 4.1). */
function otherMethods(deps: Deps): MiddlewareHandler<AppEnv> {
  return async (c) => {
    countRead(deps, c, readLimits.line);
    c.header('accept-post', sdpMediaType);
    c.header('allow', allow);
    const { method } = c.req;
    if (method === 'OPTIONS') return c.body(null, 200);
    if (method === 'GET' || method === 'HEAD') return c.body(null, 204);
    throw problem('method-not-allowed');
  };
}
