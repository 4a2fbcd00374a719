// Devices: where somebody is logged in, and logging out there.
import { Hono } from 'hono';
import { z } from 'zod';
import { DeviceList, Id } from '#contract';
import { endSession, endSessionsOf, listSessions } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { operation } from '../services/operation.ts';
import { tellRevoked } from '../services/sessions.ts';
import { validate } from '../services/validate.ts';

const tag = 'Accounts';

export function sessionRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .get(
      '/',
      operation(deps, {
        summary: 'The devices that I am logged in on, the one that was used last first',
        tag,
        answers: [200, DeviceList],
        access: 'keep-account',
      }),
      async (c) => {
        const { userId, sessionId } = c.var.identity;
        const devices = await listSessions(deps.db, userId);
        return c.json(
          { devices: devices.map((device) => ({ ...device, current: device.id === sessionId })) },
          200,
        );
      },
    )
    .delete(
      '/',
      operation(deps, {
        summary: 'Log out on all other devices',
        tag,
        answers: [204, null],
        access: 'keep-account',
      }),
      async (c) => {
        const { userId, sessionId } = c.var.identity;
        const of = { userId, except: sessionId, reason: 'other-device' as const };
        await tellRevoked(deps, c, await endSessionsOf(deps.db, of));
        return c.body(null, 204);
      },
    )
    .delete(
      '/:id',
      operation(deps, {
        summary: 'Log out on one device; one that is none of mine stays as it is',
        tag,
        answers: [204, null],
        problems: ['invalid-request'],
        access: 'keep-account',
      }),
      validate('param', z.object({ id: Id })),
      async (c) => {
        const { userId } = c.var.identity;
        const session = { userId, sessionId: c.req.valid('param').id };
        const ended = await endSession(deps.db, { ...session, reason: 'other-device' });
        await tellRevoked(deps, c, ended);
        return c.body(null, 204);
      },
    );
}
