// The rules of money, for staff: what they are, and changes of them. It stands behind the door of the other staff routes.
import { Hono } from 'hono';
import { z } from 'zod';
import { DecisionBody, Id, Rule, RuleList, RuleName, SetRuleBody } from '#contract';
import { decideRule, listRules, setRule } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { operation } from '../services/operation.ts';
import { validate } from '../services/validate.ts';

const tag = 'Staff';

export function staffRuleRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .get(
      '/',
      operation(deps, {
        summary:
          'Rules and thresholds of money in force, and changes that wait for a second person',
        tag,
        answers: [200, RuleList],
        access: 'set-rules',
      }),
      async (c) => c.json({ rules: await listRules(deps.db) }, 200),
    )
    .put(
      '/:name',
      operation(deps, {
        summary:
          'Set a rule from now on; what widens a risk is proposed, and somebody else decides',
        tag,
        answers: [200, Rule],
        problems: ['invalid-request', 'not-found'],
        access: 'set-rules',
        proof: 'recent',
      }),
      validate('param', z.object({ name: RuleName })),
      validate('json', SetRuleBody),
      async (c) => {
        const rule = await setRule(deps.db, {
          name: c.req.valid('param').name,
          ...c.req.valid('json'),
          staffId: c.var.identity.userId,
        });
        deps.failpoint('rule.set');
        return c.json(rule, 200);
      },
    )
    .post(
      '/proposals/:id/decision',
      operation(deps, {
        summary: 'Let a proposed change of a rule come into force, or reject it',
        tag,
        answers: [200, Rule],
        problems: ['invalid-request', 'not-found', 'second-person-needed', 'already-decided'],
        access: 'set-rules',
        proof: 'recent',
      }),
      validate('param', z.object({ id: Id })),
      validate('json', DecisionBody),
      async (c) => {
        const { id } = c.req.valid('param');
        const { approve } = c.req.valid('json');
        const rule = await decideRule(deps.db, id, c.var.identity.userId, approve);
        deps.failpoint('rule.decided');
        return c.json(rule, 200);
      },
    );
}
