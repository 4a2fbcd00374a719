// The stage of a stream: who publishes beside its performer, and what is kept from everybody of what they publish.
import { Hono } from 'hono';
import { z } from 'zod';
import {
  Id,
  MediaHold,
  StageAnswerBody,
  StageGuest,
  StageGuestList,
  StageInviteBody,
} from '#contract';
import { answerStage, holdMedia, inviteToStage, listStage, putOffStage } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { operation } from '../services/operation.ts';
import { limits } from '../services/rate-limit.ts';
import { tellRevoked } from '../services/sessions.ts';
import { validate } from '../services/validate.ts';

const tag = 'Stage';
const Params = z.object({ id: Id });
const PersonParams = z.object({ id: Id, userId: Id });

export function stageRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .get(
      '/:id/stage',
      operation(deps, {
        summary: 'Whom I have invited to the stage of my stream; of another one, whether I was',
        tag,
        answers: [200, StageGuestList],
        problems: ['invalid-request'],
        access: 'take-part',
      }),
      validate('param', Params),
      async (c) => {
        const { userId } = c.var.identity;
        return c.json({ guests: await listStage(deps.db, c.req.valid('param').id, userId) }, 200);
      },
    )
    .post(
      '/:id/stage',
      operation(deps, {
        summary: 'Invite somebody to publish beside me in my stream',
        tag,
        answers: [201, StageGuest],
        problems: [
          'invalid-request',
          'not-found',
          'account-banned',
          'stream-ended',
          'blocked',
          'stage-full',
        ],
        access: 'perform',
        limit: limits.stream,
      }),
      validate('param', Params),
      validate('json', StageInviteBody),
      async (c) => {
        const { id: streamId } = c.req.valid('param');
        const { userId: performerId } = c.var.identity;
        const { username } = c.req.valid('json');
        const guest = await inviteToStage(deps.db, { streamId, performerId, username });
        c.env.defer(deps.publisher.tellStage(streamId, [performerId, guest.user.id]));
        return c.json(guest, 201);
      },
    )
    .post(
      '/:id/stage/answer',
      operation(deps, {
        summary: 'Come to the stage that I was invited to; or not, or not any more',
        tag,
        answers: [204, null],
        problems: [
          'invalid-request',
          'not-found',
          'account-banned',
          'account-closing',
          'email-unverified',
          'stream-ended',
        ],
        access: 'take-part',
        limit: limits.stream,
      }),
      validate('param', Params),
      validate('json', StageAnswerBody),
      async (c) => {
        const { id: streamId } = c.req.valid('param');
        const { userId } = c.var.identity;
        const { accept } = c.req.valid('json');
        const answer = { streamId, userId, accept };
        const { performerId, revocations } = await answerStage(deps.db, answer);
        await tellRevoked(deps, c, revocations);
        c.env.defer(deps.publisher.tellStage(streamId, [performerId, userId]));
        return c.body(null, 204);
      },
    )
    .delete(
      '/:id/stage/:userId',
      operation(deps, {
        summary: 'Take somebody off the stage of my stream, or an invitation back',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found'],
        access: 'perform',
      }),
      validate('param', PersonParams),
      async (c) => {
        const { id: streamId, userId } = c.req.valid('param');
        const { userId: performerId } = c.var.identity;
        await tellRevoked(deps, c, await putOffStage(deps.db, { streamId, performerId, userId }));
        c.env.defer(deps.publisher.tellStage(streamId, [performerId, userId]));
        return c.body(null, 204);
      },
    )
    .put(
      '/:id/stage/:userId/hold',
      operation(deps, {
        summary: 'Keep sound, pictures, both or nothing of what a guest publishes from everybody',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found', 'stream-ended'],
        access: 'perform',
      }),
      validate('param', PersonParams),
      validate('json', MediaHold),
      async (c) => {
        const { id: streamId, userId } = c.req.valid('param');
        const by = c.var.identity.userId;
        const act = { streamId, by, userId, holder: 'host', held: c.req.valid('json') } as const;
        await tellRevoked(deps, c, await holdMedia(deps.db, act));
        c.env.defer(deps.publisher.tellStage(streamId, [by, userId]));
        return c.body(null, 204);
      },
    );
}

/** Under `/staff/streams`. */
export function staffStageRoutes(deps: Deps) {
  return new Hono<AppEnv>().put(
    '/:id/holds/:userId',
    operation(deps, {
      summary: 'Mute or pause what somebody publishes in a stream; its host cannot undo it',
      tag,
      answers: [204, null],
      problems: ['invalid-request', 'not-found', 'stream-ended'],
      access: 'end-streams',
    }),
    validate('param', PersonParams),
    validate('json', MediaHold),
    async (c) => {
      const { id: streamId, userId } = c.req.valid('param');
      const by = c.var.identity.userId;
      const act = { streamId, by, userId, holder: 'staff', held: c.req.valid('json') } as const;
      // Told before the answer: what is not to be seen is to be gone now.
      await tellRevoked(deps, c, await holdMedia(deps.db, act));
      return c.body(null, 204);
    },
  );
}
