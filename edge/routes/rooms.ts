// Rooms of streams: tickets, events, chat, entries, and keeping order.
import { Hono } from 'hono';
import { z } from 'zod';
import {
  ChatMessageEvent,
  Entry,
  EntryBody,
  Id,
  ListEventsQuery,
  ModeratorList,
  PostMessageBody,
  RoomBanBody,
  RoomEventList,
  TicketBody,
  TicketGrant,
} from '#contract';
import {
  buyEntry,
  deleteMessage,
  listModerators,
  listRoomEvents,
  postMessage,
  setEntry,
  setModerator,
  setRoomBan,
} from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { idempotencyKey } from '../services/access.ts';
import { operation } from '../services/operation.ts';
import { limits } from '../services/rate-limit.ts';
import { openWatchedRoom } from '../services/rooms.ts';
import { tellRevoked } from '../services/sessions.ts';
import { grantPublish, grantWatch } from '../services/tickets.ts';
import { validate } from '../services/validate.ts';

const tag = 'Rooms';
const Params = z.object({ id: Id });
const PersonParams = z.object({ id: Id, userId: Id });
const MessageParams = z.object({ id: Id, messageId: Id });
const minuteMs = 60_000;
/** Why somebody may not watch a stream. */
const unwatchable = [
  'not-found',
  'age-gate-needed',
  'followers-only',
  'entry-needed',
  'country-blocked',
  'blocked',
] as const;

export function roomRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .post(
      '/:id/tickets',
      operation(deps, {
        summary: 'A ticket to the room: to publish (its performer), or to watch',
        tag,
        answers: [201, TicketGrant],
        problems: [
          'invalid-request',
          'forbidden',
          ...unwatchable,
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
        const asked = c.req.valid('json');
        const grant =
          asked.intent === 'watch'
            ? await grantWatch(deps, c, id, asked)
            : await grantPublish(deps, c, id, asked);
        return c.json(grant, 201);
      },
    )
    .get(
      '/:id/events',
      operation(deps, {
        summary: 'Events of the room after one of them, or the newest; for who may watch',
        tag,
        answers: [200, RoomEventList],
        problems: ['invalid-request', ...unwatchable],
        access: 'visitor',
        limit: limits.events,
      }),
      validate('param', Params),
      validate('query', ListEventsQuery),
      async (c) => {
        const { id } = c.req.valid('param');
        const { after } = c.req.valid('query');
        await openWatchedRoom(deps, c, id);
        const { found, events, more } = await listRoomEvents(deps.db, id, after ?? null);
        if (!found) throw problem('not-found');
        return c.json({ events, resyncNeeded: after !== undefined && more }, 200);
      },
    )
    .post(
      '/:id/messages',
      operation(deps, {
        summary: 'Say something in the chat',
        tag,
        answers: [201, ChatMessageEvent],
        problems: [
          'invalid-request',
          'not-found',
          'stream-not-live',
          'idempotency-key-reused',
          'account-banned',
          'account-closing',
          'email-unverified',
          'followers-only',
          'entry-needed',
          'country-blocked',
          'silenced',
        ],
        access: 'take-part',
        limit: limits.chat,
        idempotent: true,
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
    )
    .delete(
      '/:id/messages/:messageId',
      operation(deps, {
        summary: 'Take a chat line away: one’s own, or as who keeps order',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found', 'forbidden'],
        access: 'take-part',
      }),
      validate('param', MessageParams),
      async (c) => {
        const { id, messageId } = c.req.valid('param');
        const line = { streamId: id, by: c.var.identity.userId, messageId };
        const event = await deleteMessage(deps.db, line);
        if (event) await deps.publisher.publish([event]);
        return c.body(null, 204);
      },
    )
    .post(
      '/:id/entry',
      operation(deps, {
        summary: 'Buy an entry to a ticketed stream; the tokens go back if it is never live',
        tag,
        answers: [201, Entry],
        problems: [
          'invalid-request',
          'not-found',
          'stream-ended',
          'price-changed',
          'blocked',
          'self-tip',
          'insufficient-balance',
          'spending-limit',
          'new-account-limit',
          'account-banned',
          'account-closing',
          'email-unverified',
          'performer-unavailable',
        ],
        access: 'take-part',
        limit: limits.order,
        idempotent: true,
      }),
      validate('param', Params),
      validate('json', EntryBody),
      async (c) => {
        const { replayed: _, ...entry } = await buyEntry(deps.db, {
          streamId: c.req.valid('param').id,
          userId: c.var.identity.userId,
          entryTokens: c.req.valid('json').entryTokens,
          idempotencyKey: idempotencyKey(c),
        });
        deps.failpoint('entry.bought');
        return c.json(entry, 201);
      },
    )
    .put(
      '/:id/entries/:userId',
      operation(deps, {
        summary: 'Let somebody into my stream for nothing',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found'],
        access: 'perform',
      }),
      validate('param', PersonParams),
      async (c) => {
        const { id: streamId, userId } = c.req.valid('param');
        const entry = { streamId, performerId: c.var.identity.userId, userId };
        await setEntry(deps.db, { ...entry, letIn: true });
        return c.body(null, 204);
      },
    )
    .delete(
      '/:id/entries/:userId',
      operation(deps, {
        summary: 'Take a free entry back',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found'],
        access: 'perform',
      }),
      validate('param', PersonParams),
      async (c) => {
        const { id: streamId, userId } = c.req.valid('param');
        const entry = { streamId, performerId: c.var.identity.userId, userId };
        await tellRevoked(deps, c, await setEntry(deps.db, { ...entry, letIn: false }));
        return c.body(null, 204);
      },
    )
    .get(
      '/:id/moderators',
      operation(deps, {
        summary: 'Who keeps order in a stream beside its performer',
        tag,
        answers: [200, ModeratorList],
        problems: ['invalid-request', ...unwatchable],
        access: 'visitor',
      }),
      validate('param', Params),
      async (c) => {
        const { id } = c.req.valid('param');
        await openWatchedRoom(deps, c, id);
        return c.json({ moderators: await listModerators(deps.db, id) }, 200);
      },
    )
    .put(
      '/:id/moderators/:userId',
      operation(deps, {
        summary: 'Make somebody a moderator of my stream',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found'],
        access: 'perform',
      }),
      validate('param', PersonParams),
      async (c) => {
        const { id: streamId, userId } = c.req.valid('param');
        const moderator = { streamId, performerId: c.var.identity.userId, userId, is: true };
        await tellRevoked(deps, c, await setModerator(deps.db, moderator));
        return c.body(null, 204);
      },
    )
    .delete(
      '/:id/moderators/:userId',
      operation(deps, {
        summary: 'Let somebody be no moderator of my stream any more',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found'],
        access: 'perform',
      }),
      validate('param', PersonParams),
      async (c) => {
        const { id: streamId, userId } = c.req.valid('param');
        const moderator = { streamId, performerId: c.var.identity.userId, userId, is: false };
        await tellRevoked(deps, c, await setModerator(deps.db, moderator));
        return c.body(null, 204);
      },
    )
    .put(
      '/:id/bans/:userId',
      operation(deps, {
        summary: 'Silence somebody in this performer’s rooms, or ban them from these',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found', 'forbidden'],
        access: 'take-part',
      }),
      validate('param', PersonParams),
      validate('json', RoomBanBody),
      async (c) => {
        const { id: streamId, userId } = c.req.valid('param');
        const { kind, minutes } = c.req.valid('json');
        const until = minutes === null ? null : new Date(deps.now().getTime() + minutes * minuteMs);
        const ban = { streamId, by: c.var.identity.userId, userId, kind, until };
        await tellRevoked(deps, c, await setRoomBan(deps.db, ban));
        return c.body(null, 204);
      },
    )
    .delete(
      '/:id/bans/:userId',
      operation(deps, {
        summary: 'Let somebody talk and watch again',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found', 'forbidden'],
        access: 'take-part',
      }),
      validate('param', PersonParams),
      async (c) => {
        const { id: streamId, userId } = c.req.valid('param');
        const by = c.var.identity.userId;
        await setRoomBan(deps.db, { streamId, by, userId, kind: null, until: null });
        return c.body(null, 204);
      },
    );
}
