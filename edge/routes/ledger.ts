// The ledger's checkpoints: signed ends of the chain that anybody may keep, as witnesses against a changed past.
import { Hono } from 'hono';
import { z } from 'zod';
import { CheckpointList } from '#contract';
import { listCheckpoints } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { operation } from '../services/operation.ts';
import { limits } from '../services/rate-limit.ts';
import { validate } from '../services/validate.ts';

const checkpointsPageMax = 100;
const CheckpointQuery = z.object({ before: z.coerce.number().int().positive().optional() });
const checkpointsCacheSeconds = 30;

export function ledgerRoutes(deps: Deps) {
  return new Hono<AppEnv>().get(
    '/checkpoints',
    operation(deps, {
      summary: 'Signed checkpoints of the books, newest first',
      tag: 'Money',
      answers: [200, CheckpointList],
      problems: ['invalid-request'],
      access: 'anyone',
      limit: limits.events,
    }),
    validate('query', CheckpointQuery),
    async (c) => {
      const checkpoints = await listCheckpoints(deps.db, {
        beforeBlock: c.req.valid('query').before,
        limit: checkpointsPageMax,
      });
      c.header('cache-control', `public, max-age=${checkpointsCacheSeconds}`);
      return c.json(CheckpointList.parse({ checkpoints }), 200);
    },
  );
}
