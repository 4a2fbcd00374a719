// Tax numbers, for staff: a PAN that was given wrongly is put right. It stands behind the door of the other staff routes.
import { Hono } from 'hono';
import { z } from 'zod';
import { CorrectTaxProfileBody, Id, TaxProfile } from '#contract';
import { correctTaxProfile } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { operation } from '../services/operation.ts';
import { sealPan } from '../services/payout-details.ts';
import { validate } from '../services/validate.ts';

export function staffTaxRoutes(deps: Deps) {
  return new Hono<AppEnv>().post(
    '/:id/correction',
    operation(deps, {
      summary: 'Correct the PAN of a person; their payouts wait afterwards',
      tag: 'Staff',
      answers: [200, TaxProfile],
      problems: ['invalid-request', 'not-found', 'second-person-needed', 'pan-taken'],
      access: 'correct-tax',
      proof: 'recent',
    }),
    validate('param', z.object({ id: Id })),
    validate('json', CorrectTaxProfileBody),
    async (c) => {
      const { pan, reason } = c.req.valid('json');
      const corrected = await correctTaxProfile(deps.db, {
        ...(await sealPan(deps.vault, c.req.valid('param').id, pan)),
        staffId: c.var.identity.userId,
        reason,
      });
      deps.failpoint('tax-profile.corrected');
      return c.json(corrected, 200);
    },
  );
}
