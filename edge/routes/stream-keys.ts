// Stream keys: those of a performer, and the tickets that encoders get for them.
import { Hono } from 'hono';
import { z } from 'zod';
import {
  Id,
  IngestBody,
  IngestTicket,
  NewStreamKey,
  StreamKeyBody,
  StreamKeyList,
} from '#contract';
import { createStreamKey, endStreamKey, listStreamKeys, rotateStreamKey } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { idempotencyKey } from '../services/access.ts';
import { grantByStreamKey, ingestServers } from '../services/ingest.ts';
import { operation } from '../services/operation.ts';
import { limits } from '../services/rate-limit.ts';
import { noteSecurityChange } from '../services/security-notice.ts';
import { tellRevoked } from '../services/sessions.ts';
import { newStreamKeySecret, streamKeyIdOf } from '../services/stream-keys.ts';
import { validate } from '../services/validate.ts';

const tag = 'Stream keys';
const Params = z.object({ id: Id });

export function streamKeyRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .get(
      '/',
      operation(deps, {
        summary: 'My stream keys, without their secrets',
        tag,
        answers: [200, StreamKeyList],
        access: 'perform',
      }),
      async (c) => {
        const keys = await listStreamKeys(deps.db, c.var.identity.userId);
        return c.json({ keys, servers: ingestServers(deps.config) }, 200);
      },
    )
    .post(
      '/',
      operation(deps, {
        summary:
          'Make a stream key; its secret is told once, and not to a request that comes again',
        tag,
        answers: [201, NewStreamKey],
        problems: [
          'invalid-request',
          'idempotency-key-reused',
          'stream-key-limit',
          'account-banned',
        ],
        access: 'perform',
        limit: limits.stream,
        idempotent: true,
      }),
      validate('json', StreamKeyBody),
      async (c) => {
        const { userId } = c.var.identity;
        const { secret, hash, hint } = await newStreamKeySecret();
        const id = await streamKeyIdOf(userId, idempotencyKey(c));
        const wanted = { id, hint, ...c.req.valid('json') };
        const { key, isNew } = await createStreamKey(deps.db, userId, wanted, hash);
        if (isNew) noteSecurityChange(deps, c, userId, 'stream-key-made');
        return c.json({ key, secret: isNew ? secret : null }, 201);
      },
    )
    .post(
      '/:id/rotation',
      operation(deps, {
        summary: 'Give a key another secret, told once; what was begun with the one before ends',
        tag,
        answers: [200, NewStreamKey],
        problems: ['invalid-request', 'not-found', 'account-banned'],
        access: 'perform',
        limit: limits.stream,
      }),
      validate('param', Params),
      async (c) => {
        const { userId } = c.var.identity;
        const { secret, hash, hint } = await newStreamKeySecret();
        const { key, revocations } = await rotateStreamKey(deps.db, {
          keyId: c.req.valid('param').id,
          performerId: userId,
          hash,
          hint,
        });
        noteSecurityChange(deps, c, userId, 'stream-key-rotated');
        await tellRevoked(deps, c, revocations);
        return c.json({ key, secret }, 200);
      },
    )
    .delete(
      '/:id',
      operation(deps, {
        summary: 'End a key, and what is published with it',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found'],
        access: 'perform',
      }),
      validate('param', Params),
      async (c) => {
        const { userId } = c.var.identity;
        await tellRevoked(deps, c, await endStreamKey(deps.db, c.req.valid('param').id, userId));
        return c.body(null, 204);
      },
    );
}

export function ingestRoutes(deps: Deps) {
  return new Hono<AppEnv>().post(
    '/tickets',
    operation(deps, {
      summary: 'A ticket to publish, for an encoder that sends its stream key as the bearer token',
      tag,
      answers: [201, IngestTicket],
      problems: [
        'invalid-request',
        'unauthenticated',
        'account-banned',
        'forbidden',
        'not-found',
        'stream-ended',
        'stream-limit',
        'media-unavailable',
      ],
      access: 'anyone',
      limit: limits.ingest,
    }),
    validate('json', IngestBody),
    async (c) => {
      const { protocol, streamId = null } = c.req.valid('json');
      return c.json(await grantByStreamKey(deps, c, { protocol, streamId }), 201);
    },
  );
}
