// The controls of RazorpayX: its balance, what its bank does, and what really left the account.
import { Hono } from 'hono';
import { z } from 'zod';
import { badField } from '../refusal.ts';
import { jsonBody, parse, parseQuery, type SandboxEnv } from '../request.ts';
import type { SandboxParts } from '../sandbox-parts.ts';
import { PayoutStep } from './payout-entity.ts';
import { StatusReason } from './status-details.ts';
import { ValidationEnd } from './validations.ts';

const balancePaiseMax = 1_000_000_000_000;

const BalanceBody = z.strictObject({ balancePaise: z.int().min(0).max(balancePaiseMax) });
const StepBody = z.strictObject({ status: PayoutStep, reason: StatusReason.optional() });
const EndBody = z.strictObject({
  end: ValidationEnd,
  registered_name: z.string().max(120).nullable().default(null),
});
const text = z.string().optional();
const TransferFilterText = z.object({
  payout_id: text,
  reference_id: text,
  fund_account_id: text,
});

/** The routes under `/sandbox` that RazorpayX adds. */
export function createPayoutControl({ payouts, payoutAccount, validations }: SandboxParts) {
  const account = () => ({
    account_number: payoutAccount.number,
    balancePaise: payoutAccount.balancePaise,
  });
  return new Hono<SandboxEnv>()
    .get('/payout-account', (c) => c.json(account()))
    .post('/payout-account', async (c) => {
      payouts.setBalance(parse(BalanceBody, await jsonBody(c.req)).balancePaise);
      return c.json(account());
    })
    .get('/transfers', (c) =>
      c.json({ transfers: payoutAccount.transfers(parseQuery(TransferFilterText, c.req.query())) }),
    )
    .post('/payouts/:id/step', async (c) => {
      const { status, reason } = parse(StepBody, await jsonBody(c.req));
      const id = c.req.param('id');
      if (!payouts.step(id, status, reason)) {
        throw badField('status', `The payout is ${payouts.payout(id).status}`);
      }
      return c.json(payouts.payout(id));
    })
    .post('/validations/:id/end', async (c) => {
      const { end, registered_name } = parse(EndBody, await jsonBody(c.req));
      const id = c.req.param('id');
      if (!validations.end(id, end, registered_name)) {
        throw badField('end', `The validation is ${validations.validation(id).status}`);
      }
      return c.json(validations.validation(id));
    });
}
