// Staff: the books, and decisions on refunds, payouts, disputes, cases, adjustments, rules and bans.
import { Hono } from 'hono';
import { z } from 'zod';
import {
  Adjustment,
  AdjustmentList,
  AuditTrail,
  BalanceAt,
  BalanceQuery,
  BanBody,
  CaseList,
  DecisionBody,
  DisputeList,
  EndPayoutBody,
  HoldPayoutsBody,
  Id,
  ListAdjustmentsQuery,
  ListCasesQuery,
  ListDisputesQuery,
  ListPayoutHoldsQuery,
  ListPayoutsQuery,
  ListRefundsQuery,
  PayoutHold,
  PayoutHoldList,
  ProposeAdjustmentBody,
  ReadAuditQuery,
  RejectPayoutBody,
  ResolveCaseBody,
  StaffPayout,
  StaffPayoutList,
  StaffRefund,
  StaffRefundList,
  staffPageMax,
  TrialBalance,
} from '#contract';
import {
  approvePayout,
  balanceAt,
  decideAdjustment,
  decideRefund,
  endSessionsByStaff,
  findAccount,
  holdPayouts,
  liftPayoutHold,
  listAdjustments,
  listCases,
  listDisputes,
  listPayoutHolds,
  listPayouts,
  listRefunds,
  proposeAdjustment,
  readAudit,
  readTrialBalance,
  rejectPayout,
  resolveCase,
  setBan,
} from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { idempotencyKey } from '../services/access.ts';
import { parseCursor } from '../services/cursor.ts';
import { operation } from '../services/operation.ts';
import { pageOf } from '../services/page.ts';
import { endPayout } from '../services/payout-ending.ts';
import { tellRevoked } from '../services/sessions.ts';
import { validate } from '../services/validate.ts';
import { staffPromotionRoutes } from './staff-promotions.ts';
import { staffRuleRoutes } from './staff-rules.ts';
import { staffSettlementRoutes } from './staff-settlements.ts';
import { staffTaxRoutes } from './staff-tax.ts';
import { staffStageRoutes } from './stage.ts';

const tag = 'Staff';
const IdParam = z.object({ id: Id });

export function staffRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .get(
      '/trial-balance',
      operation(deps, {
        summary: 'The trial balance, and whether debits equal credits',
        tag,
        answers: [200, TrialBalance],
        access: 'read-books',
      }),
      async (c) => {
        const rows = await readTrialBalance(deps.db);
        const balanced = ['TOKEN', 'INR'].every((currency) => {
          const own = rows.filter((row) => row.currency === currency);
          return own.reduce((sum, row) => sum + row.debit - row.credit, 0) === 0;
        });
        return c.json({ balanced, rows }, 200);
      },
    )
    .get(
      '/balance',
      operation(deps, {
        summary: 'What an account held at a moment',
        tag,
        answers: [200, BalanceAt],
        problems: ['invalid-request', 'not-found'],
        access: 'read-books',
      }),
      validate('query', BalanceQuery),
      async (c) => {
        const { class: name, ownerId = null, at } = c.req.valid('query');
        const moment = at ? new Date(at) : deps.now();
        const balance = await balanceAt(deps.db, { class: name, ownerId, at: moment });
        return c.json({ class: name, ownerId, at: moment.toISOString(), balance }, 200);
      },
    )
    .get(
      '/refunds',
      operation(deps, {
        summary: 'Refunds, newest first; those that have not ended, oldest first',
        tag,
        answers: [200, StaffRefundList],
        problems: ['invalid-request'],
        access: 'move-money',
      }),
      validate('query', ListRefundsQuery),
      async (c) => {
        const { state, cursor } = c.req.valid('query');
        const after = parseCursor(cursor);
        const rows = await listRefunds(deps.db, { state, after, limit: staffPageMax + 1 });
        const { page, nextCursor } = pageOf(rows, staffPageMax, (row) => row.id);
        return c.json({ refunds: page.map((row) => StaffRefund.parse(row)), nextCursor }, 200);
      },
    )
    .post(
      '/refunds/:id/decision',
      operation(deps, {
        summary: 'Let a refund go, or refuse it; not whoever asked for it',
        tag,
        answers: [200, StaffRefund],
        problems: ['invalid-request', 'not-found', 'second-person-needed', 'already-decided'],
        access: 'move-money',
        proof: 'recent',
      }),
      validate('param', IdParam),
      validate('json', DecisionBody),
      async (c) => {
        const refund = await decideRefund(deps.db, {
          refundId: c.req.valid('param').id,
          staffId: c.var.identity.userId,
          approve: c.req.valid('json').approve,
        });
        deps.failpoint('refund.decided');
        return c.json(StaffRefund.parse(refund), 200);
      },
    )
    .get(
      '/disputes',
      operation(deps, {
        summary: 'Disputes, newest first; the open ones by the deadline of their evidence',
        tag,
        answers: [200, DisputeList],
        problems: ['invalid-request'],
        access: 'move-money',
      }),
      validate('query', ListDisputesQuery),
      async (c) => {
        const { open: onlyOpen = false, cursor: after } = c.req.valid('query');
        const rows = await listDisputes(deps.db, { onlyOpen, after, limit: staffPageMax + 1 });
        const { page, nextCursor } = pageOf(rows, staffPageMax, (row) => row.gatewayDisputeId);
        return c.json({ disputes: page, nextCursor }, 200);
      },
    )
    .get(
      '/payouts',
      operation(deps, {
        summary: 'Payouts, newest first; those that have not ended, oldest first',
        tag,
        answers: [200, StaffPayoutList],
        problems: ['invalid-request'],
        access: 'decide-payouts',
      }),
      validate('query', ListPayoutsQuery),
      async (c) => {
        const { state, cursor } = c.req.valid('query');
        const after = parseCursor(cursor);
        const rows = await listPayouts(deps.db, { state, after, limit: staffPageMax + 1 });
        const { page, nextCursor } = pageOf(rows, staffPageMax, (row) => row.id);
        return c.json({ payouts: page, nextCursor }, 200);
      },
    )
    .post(
      '/payouts/:id/approval',
      operation(deps, {
        summary: 'Agree to a payout; large ones need two of the staff',
        tag,
        answers: [200, StaffPayout],
        problems: [
          'invalid-request',
          'not-found',
          'second-person-needed',
          'already-decided',
          'payout-on-hold',
        ],
        access: 'decide-payouts',
        proof: 'recent',
      }),
      validate('param', IdParam),
      async (c) => {
        const { id } = c.req.valid('param');
        const payout = await approvePayout(deps.db, id, c.var.identity.userId);
        deps.failpoint('payout.approved');
        return c.json(payout, 200);
      },
    )
    .post(
      '/payouts/:id/rejection',
      operation(deps, {
        summary: 'Refuse a payout; the money is available again',
        tag,
        answers: [200, StaffPayout],
        problems: ['invalid-request', 'not-found', 'already-decided'],
        access: 'decide-payouts',
        proof: 'recent',
      }),
      validate('param', IdParam),
      validate('json', RejectPayoutBody),
      async (c) => {
        const { id } = c.req.valid('param');
        const { reason } = c.req.valid('json');
        const payout = await rejectPayout(deps.db, id, c.var.identity.userId, reason);
        deps.failpoint('payout.rejected');
        return c.json(payout, 200);
      },
    )
    .post(
      '/payouts/:id/ending',
      operation(deps, {
        summary:
          'Say what became of a payout that nobody sends any more; the gateway is asked first',
        tag,
        answers: [200, StaffPayout],
        problems: [
          'invalid-request',
          'not-found',
          'second-person-needed',
          'payout-not-in-doubt',
          'payout-in-doubt',
          'payout-exists',
          'payout-mismatch',
          'gateway-unavailable',
        ],
        access: 'decide-payouts',
        proof: 'recent',
      }),
      validate('param', IdParam),
      validate('json', EndPayoutBody),
      async (c) => {
        const payout = await endPayout(deps, {
          payoutId: c.req.valid('param').id,
          staffId: c.var.identity.userId,
          found: c.req.valid('json'),
        });
        deps.failpoint('payout.ended');
        return c.json(payout, 200);
      },
    )
    .get(
      '/payout-holds',
      operation(deps, {
        summary: 'Holds on payouts that are on, oldest first',
        tag,
        answers: [200, PayoutHoldList],
        problems: ['invalid-request'],
        access: 'hold-payouts',
      }),
      validate('query', ListPayoutHoldsQuery),
      async (c) => {
        const { performerId, cursor } = c.req.valid('query');
        const after = parseCursor(cursor);
        const limit = staffPageMax + 1;
        const rows = await listPayoutHolds(deps.db, { performerId, after, limit });
        const { page, nextCursor } = pageOf(rows, staffPageMax, (row) => row.id);
        return c.json({ holds: page, nextCursor }, 200);
      },
    )
    .post(
      '/payout-holds',
      operation(deps, {
        summary: 'Stop a performer’s payouts until the hold is lifted',
        tag,
        answers: [201, PayoutHold],
        problems: ['invalid-request', 'not-found'],
        access: 'hold-payouts',
      }),
      validate('json', HoldPayoutsBody),
      async (c) => {
        const { performerId, reason } = c.req.valid('json');
        if (!(await findAccount(deps.db, performerId))) throw problem('not-found');
        const staffId = c.var.identity.userId;
        const id = await holdPayouts(deps.db, { performerId, reason, staffId });
        deps.failpoint('payout.held');
        return c.json({ id }, 201);
      },
    )
    .post(
      '/payout-holds/:id/lifting',
      operation(deps, {
        summary: 'Lift a hold on payouts',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found', 'second-person-needed'],
        access: 'hold-payouts',
      }),
      validate('param', IdParam),
      async (c) => {
        await liftPayoutHold(deps.db, c.req.valid('param').id, c.var.identity.userId);
        deps.failpoint('payout.hold-lifted');
        return c.body(null, 204);
      },
    )
    .get(
      '/cases',
      operation(deps, {
        summary: 'What somebody must look at, oldest first; what was resolved, newest first',
        tag,
        answers: [200, CaseList],
        problems: ['invalid-request'],
        access: 'work-cases',
      }),
      validate('query', ListCasesQuery),
      async (c) => {
        const { state, kind, cursor } = c.req.valid('query');
        const after = parseCursor(cursor);
        const rows = await listCases(deps.db, { state, kind, after, limit: staffPageMax + 1 });
        const { page, nextCursor } = pageOf(rows, staffPageMax, (row) => row.id);
        return c.json({ cases: page, nextCursor }, 200);
      },
    )
    .post(
      '/cases/:id/resolution',
      operation(deps, {
        summary: 'Close a case with what was found',
        tag,
        answers: [204, null],
        problems: [
          'invalid-request',
          'not-found',
          'second-person-needed',
          'already-decided',
          'payout-in-doubt',
        ],
        access: 'work-cases',
      }),
      validate('param', IdParam),
      validate('json', ResolveCaseBody),
      async (c) => {
        const { resolution } = c.req.valid('json');
        await resolveCase(deps.db, c.req.valid('param').id, c.var.identity.userId, resolution);
        return c.body(null, 204);
      },
    )
    .get(
      '/adjustments',
      operation(deps, {
        summary:
          'Changes of the books by hand: proposals that wait, oldest first; others newest first',
        tag,
        answers: [200, AdjustmentList],
        problems: ['invalid-request'],
        access: 'move-money',
      }),
      validate('query', ListAdjustmentsQuery),
      async (c) => {
        const { state, cursor } = c.req.valid('query');
        const after = parseCursor(cursor);
        const rows = await listAdjustments(deps.db, { state, after, limit: staffPageMax + 1 });
        const { page, nextCursor } = pageOf(rows, staffPageMax, (row) => row.id);
        return c.json({ adjustments: page, nextCursor }, 200);
      },
    )
    .post(
      '/adjustments',
      operation(deps, {
        summary: 'Propose a change of the books by hand; somebody else approves it',
        tag,
        answers: [201, Adjustment],
        problems: ['invalid-request', 'idempotency-key-reused'],
        idempotent: true,
        access: 'move-money',
        proof: 'recent',
      }),
      validate('json', ProposeAdjustmentBody),
      async (c) => {
        const made = await proposeAdjustment(deps.db, {
          ...c.req.valid('json'),
          staffId: c.var.identity.userId,
          idempotencyKey: idempotencyKey(c),
        });
        deps.failpoint('adjustment.proposed');
        return c.json(made, 201);
      },
    )
    .post(
      '/adjustments/:id/decision',
      operation(deps, {
        summary: 'Approve or reject a proposed change of the books',
        tag,
        answers: [200, Adjustment],
        problems: [
          'invalid-request',
          'not-found',
          'second-person-needed',
          'already-decided',
          'insufficient-balance',
        ],
        access: 'move-money',
        proof: 'recent',
      }),
      validate('param', IdParam),
      validate('json', DecisionBody),
      async (c) => {
        const { id } = c.req.valid('param');
        const { approve } = c.req.valid('json');
        const decided = await decideAdjustment(deps.db, id, c.var.identity.userId, approve);
        deps.failpoint('adjustment.decided');
        return c.json(decided, 200);
      },
    )
    .get(
      '/audit',
      operation(deps, {
        summary: 'The audit trail: what was done, and what smelled of fraud; newest first',
        tag,
        answers: [200, AuditTrail],
        problems: ['invalid-request'],
        access: 'read-audit',
      }),
      validate('query', ReadAuditQuery),
      async (c) => {
        const { cursor, ...filter } = c.req.valid('query');
        const rows = await readAudit(deps.db, {
          ...filter,
          before: cursor,
          limit: staffPageMax + 1,
        });
        const { page, nextCursor } = pageOf(rows, staffPageMax, (row) => String(row.id));
        return c.json({ entries: page, nextCursor }, 200);
      },
    )
    .route('/promotions', staffPromotionRoutes(deps))
    .route('/rules', staffRuleRoutes(deps))
    .route('/settlements', staffSettlementRoutes(deps))
    .route('/streams', staffStageRoutes(deps))
    .route('/tax-profiles', staffTaxRoutes(deps))
    .post(
      '/users/:id/ban',
      operation(deps, {
        summary: 'Ban an account; its streams end',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found', 'second-person-needed'],
        access: 'ban',
      }),
      validate('param', IdParam),
      validate('json', BanBody),
      async (c) => {
        const { events, revocations } = await setBan(deps.db, {
          userId: c.req.valid('param').id,
          staffId: c.var.identity.userId,
          banned: true,
          reason: c.req.valid('json').reason,
        });
        // Told before the answer: whoever is banned is to be gone now.
        await Promise.all([deps.publisher.publish(events), tellRevoked(deps, c, revocations)]);
        if (events.length > 0) c.env.defer(deps.publisher.nudgeTranscoders());
        return c.body(null, 204);
      },
    )
    .delete(
      '/users/:id/sessions',
      operation(deps, {
        summary: 'Log somebody out everywhere',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found'],
        access: 'ban',
      }),
      validate('param', IdParam),
      async (c) => {
        const act = { userId: c.req.valid('param').id, staffId: c.var.identity.userId };
        await tellRevoked(deps, c, await endSessionsByStaff(deps.db, act));
        return c.body(null, 204);
      },
    )
    .delete(
      '/users/:id/ban',
      operation(deps, {
        summary: 'Lift a ban',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found', 'second-person-needed'],
        access: 'ban',
      }),
      validate('param', IdParam),
      async (c) => {
        await setBan(deps.db, {
          userId: c.req.valid('param').id,
          staffId: c.var.identity.userId,
          banned: false,
          reason: '',
        });
        return c.body(null, 204);
      },
    );
}
