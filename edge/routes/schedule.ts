// My schedule: when I mean to be live, announced, changed and taken back.
import { Hono } from 'hono';
import { z } from 'zod';
import {
  AddScheduleBody,
  canBeAnnounced,
  EditScheduleBody,
  Id,
  ScheduleEntry,
  ScheduleList,
} from '#contract';
import { announce, editAnnouncement, listSchedule, unannounce } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { idempotencyKey } from '../services/access.ts';
import { operation } from '../services/operation.ts';
import { limits } from '../services/rate-limit.ts';
import { validate } from '../services/validate.ts';

const tag = 'Schedule';
const Params = z.object({ id: Id });

export function scheduleRoutes(deps: Deps) {
  function requireAhead(startsAt: string | undefined): void {
    if (startsAt === undefined || canBeAnnounced(startsAt, deps.now())) return;
    const message = 'a moment to come, within half a year';
    throw problem('invalid-request', { errors: [{ path: 'startsAt', message }] });
  }

  return new Hono<AppEnv>()
    .get(
      '/',
      operation(deps, {
        summary: 'What I have announced and is not over, the next first',
        tag,
        answers: [200, ScheduleList],
        access: 'perform',
      }),
      async (c) => c.json({ entries: await listSchedule(deps.db, c.var.identity.userId) }, 200),
    )
    .post(
      '/',
      operation(deps, {
        summary: 'Announce when I mean to be live',
        tag,
        answers: [201, ScheduleEntry],
        problems: ['invalid-request', 'too-many', 'account-banned'],
        access: 'perform',
        limit: limits.profile,
        idempotent: true,
      }),
      validate('json', AddScheduleBody),
      async (c) => {
        const entry = c.req.valid('json');
        requireAhead(entry.startsAt);
        const { userId } = c.var.identity;
        return c.json(await announce(deps.db, userId, entry, idempotencyKey(c)), 201);
      },
    )
    .patch(
      '/:id',
      operation(deps, {
        summary: 'Change an announcement of mine',
        tag,
        answers: [200, ScheduleEntry],
        problems: ['invalid-request', 'not-found'],
        access: 'perform',
        limit: limits.profile,
      }),
      validate('param', Params),
      validate('json', EditScheduleBody),
      async (c) => {
        const changes = c.req.valid('json');
        requireAhead(changes.startsAt);
        const { userId } = c.var.identity;
        const { id } = c.req.valid('param');
        return c.json(await editAnnouncement(deps.db, userId, id, changes), 200);
      },
    )
    .delete(
      '/:id',
      operation(deps, {
        summary: 'Take an announcement of mine back',
        tag,
        answers: [204, null],
        problems: ['invalid-request'],
        access: 'perform',
        limit: limits.profile,
      }),
      validate('param', Params),
      async (c) => {
        await unannounce(deps.db, c.var.identity.userId, c.req.valid('param').id);
        return c.body(null, 204);
      },
    );
}
