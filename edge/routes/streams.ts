// Streams: create, list, read, edit, start, end.
import { Hono } from 'hono';
import { z } from 'zod';
import {
  CreateStreamBody,
  EditStreamBody,
  Id,
  isPermitted,
  ListOwnStreamsQuery,
  ListStreamsQuery,
  Raid,
  RaidBody,
  Stream,
  StreamList,
} from '#contract';
import {
  createStream,
  editStream,
  findStream,
  listEveryLive,
  listStreamsOf,
  liveRead,
  startRaid,
  transitionStream,
} from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { idempotencyKey } from '../services/access.ts';
import { parseCursor } from '../services/cursor.ts';
import { parseLiveCursor } from '../services/live-cursor.ts';
import { operation } from '../services/operation.ts';
import { pageOf } from '../services/page.ts';
import { readRefusal } from '../services/policy.ts';
import { limits } from '../services/rate-limit.ts';
import { openRoom, problemOf, seekerOf, viewerOf } from '../services/rooms.ts';
import { tellRevoked } from '../services/sessions.ts';
import { answerVisitor, readForVisitor } from '../services/shared-answer.ts';
import { validate } from '../services/validate.ts';
import { giveVersion, wantedVersion } from '../services/version.ts';

const tag = 'Streams';
const Params = z.object({ id: Id });

export function streamRoutes(deps: Deps) {
  async function readStream(streamId: string): Promise<Stream> {
    const stream = await findStream(deps.db, streamId);
    if (!stream) throw problem('not-found');
    return stream;
  }

  return new Hono<AppEnv>()
    .get(
      '/',
      operation(deps, {
        summary: 'Live streams that everybody may watch, by category, tag and language',
        tag,
        answers: [200, StreamList],
        problems: ['invalid-request'],
        access: 'visitor',
        mayBeUnchanged: true,
      }),
      validate('query', ListStreamsQuery),
      async (c) => {
        const { cursor, mature, ...wanted } = c.req.valid('query');
        const seeker = seekerOf(deps, c);
        const page = {
          ...wanted,
          ...seeker,
          after: parseLiveCursor(cursor, wanted.sort),
          mature: mature === 'true' && seeker.known,
        };
        const text = await readForVisitor(deps, c, liveRead, page);
        return answerVisitor<z.infer<typeof StreamList>>(c, text);
      },
    )
    .get(
      '/mine',
      operation(deps, {
        summary: 'My own streams in any state, newest first',
        tag,
        answers: [200, StreamList],
        problems: ['invalid-request'],
        access: 'perform',
      }),
      validate('query', ListOwnStreamsQuery),
      async (c) => {
        const { cursor, limit } = c.req.valid('query');
        const before = parseCursor(cursor);
        const rows = await listStreamsOf(deps.db, c.var.identity.userId, {
          before,
          limit: limit + 1,
        });
        const { page, nextCursor } = pageOf(rows, limit, (row) => row.id);
        return c.json({ streams: page, nextCursor }, 200);
      },
    )
    .get(
      '/every',
      operation(deps, {
        summary: 'Live streams of every kind, also those that no list shows, newest first',
        tag,
        answers: [200, StreamList],
        problems: ['invalid-request'],
        access: 'end-streams',
      }),
      validate('query', ListOwnStreamsQuery),
      async (c) => {
        const { cursor, limit } = c.req.valid('query');
        const before = parseCursor(cursor);
        const rows = await listEveryLive(deps.db, { before, limit: limit + 1 });
        const { page, nextCursor } = pageOf(rows, limit, (row) => row.id);
        return c.json({ streams: page, nextCursor }, 200);
      },
    )
    .post(
      '/',
      operation(deps, {
        summary: 'Create a stream',
        tag,
        answers: [201, Stream],
        problems: [
          'invalid-request',
          'idempotency-key-reused',
          'announced-limit',
          'account-banned',
          'account-closing',
          'email-unverified',
        ],
        access: 'perform',
        limit: limits.stream,
        idempotent: true,
      }),
      validate('json', CreateStreamBody),
      async (c) => {
        const { userId } = c.var.identity;
        const body = c.req.valid('json');
        const stream = await createStream(deps.db, userId, body, idempotencyKey(c));
        return giveVersion(c, stream, c.json(stream, 201));
      },
    )
    .get(
      '/:id',
      operation(deps, {
        summary: 'Read a stream; whether it may be watched its ticket says',
        tag,
        answers: [200, Stream],
        problems: ['invalid-request', 'not-found', 'blocked', 'country-blocked'],
        access: 'visitor',
      }),
      validate('param', Params),
      async (c) => {
        const facts = await openRoom(deps, c, c.req.valid('param').id);
        const refused = readRefusal(facts, viewerOf(c));
        if (refused) throw problemOf(refused);
        const { identity, guest } = viewerOf(c);
        const { stream } = facts;
        // Nobody has said yet that they are of age.
        const isHidden = !identity && !guest && stream.contentClass === 'mature';
        const shown = isHidden ? { ...stream, thumbnailUrl: null } : stream;
        return giveVersion(c, stream, c.json(shown, 200));
      },
    )
    .patch(
      '/:id',
      operation(deps, {
        summary: 'Change what I say of my stream; If-Match names the version that I have read',
        tag,
        answers: [200, Stream],
        problems: [
          'invalid-request',
          'not-found',
          'stream-ended',
          'precondition-required',
          'precondition-failed',
          'entries-sold',
        ],
        access: 'perform',
        limit: limits.stream,
      }),
      validate('param', Params),
      validate('json', EditStreamBody),
      async (c) => {
        const { stream, revocations } = await editStream(deps.db, {
          streamId: c.req.valid('param').id,
          performerId: c.var.identity.userId,
          version: wantedVersion(c),
          changes: c.req.valid('json'),
        });
        await tellRevoked(deps, c, revocations);
        return giveVersion(c, stream, c.json(stream, 200));
      },
    )
    .post(
      '/:id/start',
      operation(deps, {
        summary: 'Start: from here on the media is waited for',
        tag,
        answers: [200, Stream],
        problems: [
          'invalid-request',
          'not-found',
          'stream-ended',
          'stream-limit',
          'invalid-transition',
          'account-banned',
          'account-closing',
          'email-unverified',
        ],
        access: 'perform',
      }),
      validate('param', Params),
      async (c) => {
        const { id } = c.req.valid('param');
        const stream = await readStream(id);
        if (stream.performer.id !== c.var.identity.userId) throw problem('forbidden');
        const event = await transitionStream(deps.db, id, 'starting');
        if (event) c.env.defer(deps.publisher.publish([event]));
        return c.json(await readStream(id), 200);
      },
    )
    .post(
      '/:id/raid',
      operation(deps, {
        summary: 'Lead my audience to another live stream, once; the same again changes nothing',
        tag,
        answers: [200, Raid],
        problems: [
          'invalid-request',
          'not-found',
          'stream-not-live',
          'already-decided',
          'raid-refused',
          'account-banned',
        ],
        access: 'perform',
        limit: limits.stream,
      }),
      validate('param', Params),
      validate('json', RaidBody),
      async (c) => {
        const { raid, events } = await startRaid(deps.db, {
          fromStreamId: c.req.valid('param').id,
          performerId: c.var.identity.userId,
          toStreamId: c.req.valid('json').to,
        });
        await deps.publisher.publish(events);
        return c.json(raid, 200);
      },
    )
    .post(
      '/:id/end',
      operation(deps, {
        summary: 'End for everybody; its performer may, and staff',
        tag,
        answers: [200, Stream],
        problems: ['invalid-request', 'not-found', 'forbidden'],
        access: 'take-part',
      }),
      validate('param', Params),
      async (c) => {
        const { id } = c.req.valid('param');
        const { userId, role } = c.var.identity;
        const stream = await readStream(id);
        const own = stream.performer.id === userId;
        if (!own && !isPermitted(role, 'end-streams')) throw problem('forbidden');
        const event = await transitionStream(deps.db, id, 'ended', own ? 'performer' : 'staff');
        if (event) {
          // Told before the answer: whoever ends a stream wants it ended now.
          await deps.publisher.publish([event]);
          c.env.defer(deps.publisher.nudgeTranscoders());
        }
        return c.json(await readStream(id), 200);
      },
    );
}
