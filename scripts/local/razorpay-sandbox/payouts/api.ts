// RazorpayX's REST API: contacts, fund accounts, their validation, and payouts.
import { Hono, type MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { collection, jsonBody, listQuery, parseQuery, type SandboxEnv } from '../request.ts';
import type { SandboxParts } from '../sandbox-parts.ts';
import { parseContactRequest } from './contacts.ts';
import { parseFundAccountRequest } from './fund-accounts.ts';
import { checkPayoutAccount } from './payout-account.ts';
import { parsePayoutKey, parsePayoutRequest } from './payout-request.ts';
import { parseValidationRequest } from './validations.ts';

const text = z.string().optional();
const ContactFilterText = z.object({ name: text, email: text, contact: text, reference_id: text });
const PayoutFilterText = z.object({
  reference_id: text,
  fund_account_id: text,
  mode: text,
  status: text,
});

/** The routes under `/v1` that RazorpayX adds; `guards` stand before them and before nothing else. */
export function createPayoutApi(parts: SandboxParts, guards: MiddlewareHandler<SandboxEnv>[]) {
  const { contacts, fundAccounts, validations, payouts, payoutAccount } = parts;
  const api = new Hono<SandboxEnv>();
  for (const path of ['/contacts/*', '/fund_accounts/*', '/payouts/*', '/banking_balances']) {
    api.use(path, ...guards);
  }
  return api
    .post('/contacts', async (c) =>
      c.json(contacts.create(parseContactRequest(await jsonBody(c.req)))),
    )
    .get('/contacts', (c) => {
      const filter = parseQuery(ContactFilterText, c.req.query());
      return c.json(collection(contacts.list(filter, listQuery(c.req.query()))));
    })
    .get('/contacts/:id', (c) => c.json(contacts.contact(c.req.param('id'))))

    .post('/fund_accounts/validations', async (c) =>
      c.json(validations.create(parseValidationRequest(await jsonBody(c.req)))),
    )
    .get('/fund_accounts/validations', (c) =>
      c.json(collection(validations.list(listQuery(c.req.query())))),
    )
    .get('/fund_accounts/validations/:id', (c) => c.json(validations.validation(c.req.param('id'))))

    .post('/fund_accounts', async (c) =>
      c.json(fundAccounts.create(parseFundAccountRequest(await jsonBody(c.req)))),
    )
    .get('/fund_accounts', (c) =>
      c.json(collection(fundAccounts.list(c.req.query('contact_id'), listQuery(c.req.query())))),
    )
    .get('/fund_accounts/:id', (c) => c.json(fundAccounts.fundAccount(c.req.param('id'))))

    .post('/payouts', async (c) => {
      const key = parsePayoutKey(c.req.header('x-payout-idempotency'));
      const body = await jsonBody(c.req);
      return c.json(payouts.create(parsePayoutRequest(body), { key, body }));
    })
    .get('/payouts', (c) => {
      checkPayoutAccount(payoutAccount, c.req.query('account_number') ?? '');
      const filter = parseQuery(PayoutFilterText, c.req.query());
      return c.json(collection(payouts.list(filter, listQuery(c.req.query()))));
    })
    .get('/payouts/:id', (c) => c.json(payouts.payout(c.req.param('id'))))

    .get('/banking_balances', (c) =>
      c.json(
        collection([
          {
            entity: 'banking_balance',
            currency: 'INR',
            account_number: payoutAccount.number,
            account_type: 'razorpayx_lite',
            bank_name: null,
            amount: payoutAccount.balancePaise,
            available_amount: payoutAccount.balancePaise,
          },
        ]),
      ),
    );
}
