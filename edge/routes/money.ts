// Tips and earnings: what viewers give, the fee that is shown before, and what performers make of it.
import { Hono } from 'hono';
import { Earnings, FeePolicy, TipBody, TipReceipt } from '#contract';
import { Refusal, readEarnings, readFeePolicy } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { idempotencyKey } from '../services/access.ts';
import { operation } from '../services/operation.ts';
import { limits } from '../services/rate-limit.ts';
import { noteSuspicion } from '../services/suspicion.ts';
import { validate } from '../services/validate.ts';

const tag = 'Money';

/** Refusals of a tip that an honest client of ours does not run into. */
const suspicious = new Set(['self-tip', 'account-banned', 'idempotency-key-reused']);

export function moneyRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .post(
      '/tips',
      operation(deps, {
        summary: 'Tip the performer of a live stream',
        tag,
        answers: [201, TipReceipt],
        problems: [
          'invalid-request',
          'insufficient-balance',
          'self-tip',
          'stream-not-live',
          'not-found',
          'account-banned',
          'account-closing',
          'email-unverified',
          'performer-unavailable',
          'blocked',
          'spending-limit',
          'new-account-limit',
          'idempotency-key-reused',
        ],
        idempotent: true,
        access: 'take-part',
        limit: limits.tip,
      }),
      validate('json', TipBody),
      async (c) => {
        const body = c.req.valid('json');
        const { event, ...receipt } = await deps.tips
          .tip({
            ...body,
            viewerId: c.var.identity.userId,
            idempotencyKey: idempotencyKey(c),
          })
          .catch(async (error: unknown) => {
            if (error instanceof Refusal && suspicious.has(error.code)) {
              await noteSuspicion(deps, c, `tip.${error.code}`, { streamId: body.streamId });
            }
            throw error;
          });
        deps.failpoint('tip.posted');
        if (event) {
          c.env.defer(deps.publisher.publish([event]).then(() => deps.failpoint('tip.published')));
        }
        return c.json(receipt, 201);
      },
    )
    .get(
      '/fees',
      operation(deps, {
        summary: 'The fee policy in force',
        tag,
        answers: [200, FeePolicy],
        access: 'anyone',
      }),
      async (c) => c.json(await readFeePolicy(deps.db), 200),
    )
    .get(
      '/earnings',
      operation(deps, {
        summary: 'What I have earned',
        tag,
        answers: [200, Earnings],
        access: 'perform',
      }),
      async (c) => {
        const [earnings, feePolicy] = await Promise.all([
          readEarnings(deps.db, c.var.identity.userId),
          readFeePolicy(deps.db),
        ]);
        return c.json({ ...earnings, feePolicy }, 200);
      },
    );
}
