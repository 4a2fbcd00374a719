// Streams: create, list, read, start, end; tickets; the room's events and chat.
import { Hono } from 'hono';
import { z } from 'zod';
import {
  ChatMessageEvent,
  CreateStreamBody,
  Id,
  ListEventsQuery,
  ListOwnStreamsQuery,
  ListStreamsQuery,
  PostMessageBody,
  RoomEventList,
  Stream,
  StreamList,
  TicketBody,
  TicketGrant,
} from '#contract';
import {
  createStream,
  findStream,
  listLiveStreams,
  listRoomEvents,
  listStreamsOf,
  postMessage,
  transitionStream,
} from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { idempotencyKey } from '../services/access.ts';
import { parseCursor } from '../services/cursor.ts';
import { operation } from '../services/operation.ts';
import { pageOf, presentStream } from '../services/present-stream.ts';
import { limits } from '../services/rate-limit.ts';
import { grantPublish, grantWatch } from '../services/tickets.ts';
import { validate } from '../services/validate.ts';

const tag = 'Streams';
const Params = z.object({ id: Id });

export function streamRoutes(deps: Deps) {
  async function readStream(streamId: string): Promise<Stream> {
    const row = await findStream(deps.db, streamId);
    if (!row) throw problem('not-found');
    return presentStream(row);
  }

  return new Hono<AppEnv>()
    .get(
      '/',
      operation(deps, {
        summary: 'Live streams, newest first',
        tag,
        answers: [200, StreamList],
        problems: ['invalid-request'],
        access: 'anyone',
      }),
      validate('query', ListStreamsQuery),
      async (c) => {
        const { category, cursor, limit } = c.req.valid('query');
        const before = parseCursor(cursor);
        const rows = await listLiveStreams(deps.db, { category, before, limit: limit + 1 });
        const { page, nextCursor } = pageOf(rows, limit, (row) => row.id);
        c.header('cache-control', 'public, max-age=2');
        return c.json({ streams: page.map(presentStream), nextCursor }, 200);
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
        return c.json({ streams: page.map(presentStream), nextCursor }, 200);
      },
    )
    .post(
      '/',
      operation(deps, {
        summary: 'Create a stream',
        tag,
        answers: [201, Stream],
        problems: ['invalid-request', 'idempotency-key-reused'],
        idempotent: true,
        access: 'perform',
        limit: limits.stream,
      }),
      validate('json', CreateStreamBody),
      async (c) => {
        const streamId = await createStream(deps.db, {
          ...c.req.valid('json'),
          performerId: c.var.identity.userId,
          idempotencyKey: idempotencyKey(c),
        });
        return c.json(await readStream(streamId), 201);
      },
    )
    .get(
      '/:id',
      operation(deps, {
        summary: 'Read a stream',
        tag,
        answers: [200, Stream],
        problems: ['invalid-request', 'not-found'],
        access: 'anyone',
      }),
      validate('param', Params),
      async (c) => c.json(await readStream(c.req.valid('param').id), 200),
    )
    .post(
      '/:id/start',
      operation(deps, {
        summary: 'Start: from here on the media is waited for',
        tag,
        answers: [200, Stream],
        problems: ['not-found', 'stream-ended', 'stream-limit', 'invalid-transition'],
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
      '/:id/end',
      operation(deps, {
        summary: 'End for everybody; its performer may, and staff',
        tag,
        answers: [200, Stream],
        problems: ['not-found'],
        access: 'perform',
      }),
      validate('param', Params),
      async (c) => {
        const { id } = c.req.valid('param');
        const { userId, role } = c.var.identity;
        const stream = await readStream(id);
        const own = stream.performer.id === userId;
        if (!own && role !== 'admin') throw problem('forbidden');
        const event = await transitionStream(deps.db, id, 'ended', own ? 'performer' : 'staff');
        if (event) {
          // Told before the answer: whoever ends a stream wants it ended now.
          await deps.publisher.publish([event]);
          c.env.defer(deps.publisher.nudgeTranscoders());
        }
        return c.json(await readStream(id), 200);
      },
    )
    .post(
      '/:id/tickets',
      operation(deps, {
        summary: 'A ticket to the room: to publish (its performer), or to watch (anyone)',
        tag,
        answers: [201, TicketGrant],
        problems: [
          'invalid-request',
          'forbidden',
          'not-found',
          'stream-not-live',
          'stream-ended',
          'invalid-transition',
          'media-unavailable',
        ],
        access: 'visitor',
        limit: limits.ticket,
      }),
      validate('param', Params),
      validate('json', TicketBody),
      async (c) => {
        const { id } = c.req.valid('param');
        const identity = c.get('visitor');
        c.header('cache-control', 'no-store');
        if (c.req.valid('json').intent === 'watch') {
          return c.json(await grantWatch(deps, identity, id), 201);
        }
        if (!identity) throw problem('unauthenticated');
        return c.json(await grantPublish(deps, identity, id), 201);
      },
    )
    .get(
      '/:id/events',
      operation(deps, {
        summary: 'Events of the room after one of them, or the newest',
        tag: 'Rooms',
        answers: [200, RoomEventList],
        problems: ['invalid-request', 'not-found'],
        access: 'anyone',
        limit: limits.events,
      }),
      validate('param', Params),
      validate('query', ListEventsQuery),
      async (c) => {
        const { id } = c.req.valid('param');
        const { after } = c.req.valid('query');
        const { found, events, more } = await listRoomEvents(deps.db, id, after ?? null);
        if (!found) throw problem('not-found');
        return c.json({ events, resyncNeeded: after !== undefined && more }, 200);
      },
    )
    .post(
      '/:id/messages',
      operation(deps, {
        summary: 'Say something in the chat',
        tag: 'Rooms',
        answers: [201, ChatMessageEvent],
        problems: ['invalid-request', 'not-found', 'stream-not-live', 'idempotency-key-reused'],
        idempotent: true,
        access: 'take-part',
        limit: limits.chat,
      }),
      validate('param', Params),
      validate('json', PostMessageBody),
      async (c) => {
        const { event, replayed } = await postMessage(deps.db, {
          streamId: c.req.valid('param').id,
          userId: c.var.identity.userId,
          body: c.req.valid('json').body,
          idempotencyKey: idempotencyKey(c),
        });
        if (!replayed) c.env.defer(deps.publisher.publish([event]));
        return c.json(ChatMessageEvent.parse(event), 201);
      },
    );
}
