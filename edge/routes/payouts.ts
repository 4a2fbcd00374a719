// Payouts: what a performer can ask for, where it is paid, and the tax number it is reported under.
import { Hono } from 'hono';
import {
  EarlierPayouts,
  EarlierPayoutsQuery,
  maskOf,
  Payout,
  PayoutAccount,
  PayoutOverview,
  RequestPayoutBody,
  SetPayoutAccountBody,
  SetTaxProfileBody,
} from '#contract';
import {
  listEarlierPayouts,
  type PayoutRow,
  Refusal,
  readPayouts,
  requestPayout,
  setPayoutAccount,
  setTaxProfile,
} from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { idempotencyKey } from '../services/access.ts';
import { parseCursor } from '../services/cursor.ts';
import { operation } from '../services/operation.ts';
import { pageOf } from '../services/page.ts';
import { sealDetails, sealPan } from '../services/payout-details.ts';
import { limits } from '../services/rate-limit.ts';
import { noteSuspicion } from '../services/suspicion.ts';
import { validate } from '../services/validate.ts';

const tag = 'Payouts';
const payoutsPageMax = 25;
/** Refusals of a payout that an honest client of ours does not run into. */
const suspicious = new Set(['insufficient-earnings', 'payout-details-on-hold', 'account-banned']);

export function payoutRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .get(
      '/',
      operation(deps, {
        summary: 'What I can ask for, where it is paid, and my payouts',
        tag,
        answers: [200, PayoutOverview],
        access: 'perform',
      }),
      async (c) => {
        const { userId } = c.var.identity;
        const overview = await readPayouts(deps.db, userId, payoutsPageMax + 1);
        const { page, nextCursor } = pageOf(overview.payouts, payoutsPageMax, (row) => row.id);
        return c.json({ ...overview, payouts: page, nextCursor }, 200);
      },
    )
    .get(
      '/earlier',
      operation(deps, {
        summary: 'My payouts behind those of the page before, newest first',
        tag,
        answers: [200, EarlierPayouts],
        problems: ['invalid-request'],
        access: 'perform',
      }),
      validate('query', EarlierPayoutsQuery),
      async (c) => {
        const rows = await listEarlierPayouts(deps.db, c.var.identity.userId, {
          after: parseCursor(c.req.valid('query').cursor),
          limit: payoutsPageMax + 1,
        });
        const { page, nextCursor } = pageOf(rows, payoutsPageMax, (row) => row.id);
        return c.json({ payouts: page, nextCursor }, 200);
      },
    )
    .post(
      '/',
      operation(deps, {
        summary: 'Ask for available earnings',
        tag,
        answers: [201, Payout],
        problems: [
          'invalid-request',
          'account-banned',
          'account-closing',
          'email-unverified',
          'payout-on-hold',
          'payout-account-missing',
          'payout-account-unverified',
          'payout-details-on-hold',
          'payout-too-small',
          'payout-too-large',
          'insufficient-earnings',
          'idempotency-key-reused',
        ],
        idempotent: true,
        access: 'perform',
        proof: 'recent',
        limit: limits.payout,
      }),
      validate('json', RequestPayoutBody),
      async (c) => {
        const { amountPaise } = c.req.valid('json');
        const payout = await requestPayout(deps.db, {
          performerId: c.var.identity.userId,
          amountPaise,
          idempotencyKey: idempotencyKey(c),
        }).catch(async (error: unknown) => {
          if (error instanceof Refusal && suspicious.has(error.code)) {
            await noteSuspicion(deps, c, `payout.${error.code}`, { amountPaise });
          }
          throw error;
        });
        deps.failpoint('payout.requested');
        return c.json(presentPayout(payout), 201);
      },
    )
    .put(
      '/account',
      operation(deps, {
        summary: 'Say where to pay; it is verified, and changed details wait',
        tag,
        answers: [200, PayoutAccount],
        problems: ['invalid-request'],
        access: 'perform',
        proof: 'recent',
        limit: limits.payout,
      }),
      validate('json', SetPayoutAccountBody),
      async (c) => {
        const details = c.req.valid('json');
        const performerId = c.var.identity.userId;
        const account = await setPayoutAccount(deps.db, {
          performerId,
          kind: details.kind,
          ...(await sealDetails(deps.vault, performerId, details)),
          mask: maskOf(details),
        });
        deps.failpoint('account.set');
        return c.json(account, 200);
      },
    )
    .put(
      '/tax-profile',
      operation(deps, {
        summary: 'Give the PAN that tax on payouts is reported under; once, only staff correct it',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'already-decided', 'pan-taken'],
        access: 'perform',
        proof: 'recent',
        limit: limits.payout,
      }),
      validate('json', SetTaxProfileBody),
      async (c) => {
        const { pan } = c.req.valid('json');
        const sealed = await sealPan(deps.vault, c.var.identity.userId, pan);
        await setTaxProfile(deps.db, sealed).catch(async (error: unknown) => {
          if (error instanceof Refusal && error.code === 'pan-taken') {
            await noteSuspicion(deps, c, 'payout.pan-taken', { mask: sealed.mask });
          }
          throw error;
        });
        deps.failpoint('tax-profile.set');
        return c.body(null, 204);
      },
    );
}

export function presentPayout(row: PayoutRow): Payout {
  return Payout.parse(row);
}
