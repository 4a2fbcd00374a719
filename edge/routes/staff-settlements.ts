// Settlements, for staff: lines that were solved by hand. It stands behind the door of the other staff routes.
import { Hono } from 'hono';
import { z } from 'zod';
import { SolvedLine, SolveLineBody } from '#contract';
import { solveSettlementLine } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { operation } from '../services/operation.ts';
import { validate } from '../services/validate.ts';

const LineParam = z.object({
  settlementId: z.string().regex(/^setl_[A-Za-z0-9_]{1,60}$/, 'not a settlement'),
  line: z.coerce.number().int().min(1).max(1_000_000),
});

export function staffSettlementRoutes(deps: Deps) {
  return new Hono<AppEnv>().post(
    '/:settlementId/lines/:line/solution',
    operation(deps, {
      summary:
        'Say which approved adjustment has solved a line of a settlement, or opened it again',
      tag: 'Staff',
      answers: [200, SolvedLine],
      problems: ['invalid-request', 'not-found', 'already-decided'],
      access: 'move-money',
      proof: 'recent',
    }),
    validate('param', LineParam),
    validate('json', SolveLineBody),
    async (c) => {
      const solved = await solveSettlementLine(deps.db, {
        ...c.req.valid('param'),
        staffId: c.var.identity.userId,
        adjustmentId: c.req.valid('json').adjustmentId,
      });
      deps.failpoint('settlement.solved');
      return c.json(solved, 200);
    },
  );
}
