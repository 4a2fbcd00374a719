// Settlements: every paisa that the gateway brings to the bank is explained, or is a case.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { balanceAt, verifyBooks } from '#db';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';
import type { Deps } from '../deps.ts';
import type { GatewaySettlementItem } from '../services/gateway-settlements.ts';
import { type Cast, createCast } from '../testing/cast.ts';
import { sendRefunds } from './refunds.ts';
import { reconcileSettlements } from './settlements.ts';

let edge: TestEdge;
let cast: Cast;
let deps: Deps;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
  deps = edge.parts.deps;
});
afterEach(async () => {
  await edge.control.resetFaults();
  await edge.control.moveClock(0);
});
afterAll(async () => {
  const wrong = await verifyBooks(edge.database.db);
  await edge.close();
  expect(wrong).toEqual([]);
});

async function paid(packageIndex = 0) {
  const buyer = await cast.member();
  const order = await cast.order(buyer, packageIndex);
  const { payment } = await edge.control.pay(order.gatewayOrderId);
  await edge.control.settled();
  return { buyer, payment };
}

const held = (name: string) =>
  balanceAt(edge.database.db, { class: name, ownerId: null, at: new Date(Date.now() + 60_000) });

/** The sandbox's clock and ours, moved together. */
async function daysLater(days: number): Promise<Deps> {
  await edge.control.moveClock(days * 86_400);
  return { ...deps, now: () => new Date(Date.now() + days * 86_400_000) };
}

describe('what fits', () => {
  test('payments, refunds and disputes are explained to the last paisa, and booked once', async () => {
    const one = await paid(1);
    const two = await paid(0);
    const three = await paid(0);
    const { body } = await two.buyer.act('POST', `/v1/payments/${two.payment.id}/refunds`, {
      reason: 'x',
    });
    const staff = await cast.member('admin');
    await staff.call('POST', `/v1/admin/refunds/${body.id}/decision`, { body: { approve: true } });
    await sendRefunds(deps);
    await edge.control.settled();
    const dispute = await edge.control.openDispute(three.payment.id, { amount_deducted: 5_900 });
    await edge.control.settled();
    const { settlement, items } = await edge.control.settle();
    expect(items.map(({ type }) => type).sort()).toEqual([
      'adjustment',
      'payment',
      'payment',
      'payment',
      'refund',
    ]);
    expect(await reconcileSettlements(deps)).toEqual({ booked: 1, cases: 0, late: 0 });
    expect(await reconcileSettlements(deps)).toEqual({ booked: 0, cases: 0, late: 0 });
    expect(await held('bank')).toBe(settlement.amount);
    expect(await held('unexplained')).toBe(0);
    // Nothing is on its way any more.
    expect(await held('gateway_clearing')).toBe(0);
    const fees = items.reduce((sum, { fee }) => sum + fee, 0);
    expect((await held('gateway_fees')) + (await held('gst_input'))).toBe(fees);
    await edge.control.stepDispute(dispute.id, 'won');
    await edge.control.settled();
    expect(await held('gateway_clearing')).toBe(5_900);
    await paid();
    await edge.control.settle();
    expect(await reconcileSettlements(deps)).toMatchObject({ booked: 1, cases: 0 });
    expect(await held('gateway_clearing')).toBe(0);
    expect(one.payment.status).toBe('captured');
  });
});

describe('what does not', () => {
  const casesOf = async (settlementId: string, entityId: string) =>
    cast.cases(`${settlementId}/${entityId}`);

  test('a line that differs, one that nothing explains, one left out: each is found, the rest is booked', async () => {
    const [less, missing] = [await paid(), await paid()];
    await paid();
    const unexplainedBefore = await held('unexplained');
    const { settlement, items } = await edge.control.settle({
      change: [{ entity_id: less.payment.id, amount: -100 }],
      leave_out: [missing.payment.id],
      add: [
        { type: 'payment', amount: 777 },
        { type: 'adjustment', amount: 50, direction: 'debit' },
      ],
    });
    expect(await reconcileSettlements(deps)).toEqual({ booked: 1, cases: 3, late: 0 });
    expect(await casesOf(settlement.id, less.payment.id)).toEqual(['settlement-difference']);
    for (const added of items.filter(({ amount }) => amount === 777 || amount === 50)) {
      expect(await casesOf(settlement.id, added.entity_id)).toEqual(['settlement-unexplained']);
    }
    expect((await held('unexplained')) - unexplainedBefore).toBe(777 - 50 - 100);
    expect(await held('gateway_clearing')).toBe(5_900);
    // What was left out comes with the next one.
    await edge.control.settle();
    expect(await reconcileSettlements(deps)).toMatchObject({ booked: 1, cases: 0 });
    expect(await held('gateway_clearing')).toBe(0);
  });

  test('a payment that no settlement brings in a week is a case', async () => {
    const { payment } = await paid();
    await edge.database.asOwner(
      `update payments set captured_at = now() - interval '8 days' where gateway_payment_id = $1`,
      [payment.id],
    );
    expect(await reconcileSettlements(deps)).toMatchObject({ late: 1 });
    expect(await cast.cases(payment.id)).toEqual(['settlement-late']);
    await edge.control.settle();
    await reconcileSettlements(deps);
    expect(await reconcileSettlements(deps)).toMatchObject({ late: 0 });
  });

  /** The gateway, saying of all days what `change` makes of it. */
  const saying = (change: (items: GatewaySettlementItem[]) => GatewaySettlementItem[]): Deps => ({
    ...deps,
    gateway: {
      ...deps.gateway,
      listSettlementItems: async (day) => change(await deps.gateway.listSettlementItems(day)),
    },
  });

  test('one that says something else than before is a case, and does not keep others from being booked', async () => {
    await paid();
    const { settlement: old } = await edge.control.settle();
    await reconcileSettlements(deps);
    await paid();
    const { settlement: fresh } = await edge.control.settle();
    const lying = saying((items) =>
      items.map((item) =>
        item.settlement_id === old.id ? { ...item, credit: item.credit + 1 } : item,
      ),
    );
    expect(await reconcileSettlements(lying)).toMatchObject({ booked: 1, cases: 1 });
    expect(await cast.cases(old.id)).toEqual(['settlement-changed']);
    expect(await cast.cases(fresh.id)).toEqual([]);
    const [booked] = await edge.database.asOwner(
      'select count(*)::int from settlements where gateway_settlement_id = $1',
      [fresh.id],
    );
    expect(booked).toEqual({ count: 1 });
  });

  test('a line that comes twice is paid once in the books, and its double is a case', async () => {
    const { payment } = await paid();
    const { settlement } = await edge.control.settle();
    const twice = saying((items) =>
      items.flatMap((item) => (item.entity_id === payment.id ? [item, item] : [item])),
    );
    expect(await reconcileSettlements(twice)).toMatchObject({ booked: 1, cases: 1 });
    expect(await casesOf(settlement.id, payment.id)).toEqual(['settlement-unexplained']);
    expect(await held('gateway_clearing')).toBe(0);
  });

  test('what was settled while no runner was there is booked afterwards', async () => {
    await paid();
    await edge.control.settle();
    await daysLater(20);
    await paid();
    const { settlement } = await edge.control.settle();
    const later = await daysLater(45);
    const unexplainedBefore = await held('unexplained');
    expect(await reconcileSettlements(later)).toMatchObject({ booked: 2 });
    expect(await held('unexplained')).toBe(unexplainedBefore);
    const [booked] = await edge.database.asOwner(
      'select count(*)::int from settlements where gateway_settlement_id = $1',
      [settlement.id],
    );
    expect(booked).toEqual({ count: 1 });
  });

  test('what is told before it is settled is booked when it is', async () => {
    const { payment } = await paid();
    const { settlement } = await edge.control.settle();
    const early = saying((items) => items.map((item) => ({ ...item, settled: false })));
    expect(await reconcileSettlements(early)).toEqual({ booked: 0, cases: 0, late: 0 });
    expect(await held('gateway_clearing')).toBe(5_900);
    expect(await reconcileSettlements(deps)).toMatchObject({ booked: 1 });
    expect(await casesOf(settlement.id, payment.id)).toEqual([]);
    expect(await held('gateway_clearing')).toBe(0);
  });

  test('the days that are looked at end with the one that it is in India', async () => {
    const asked: string[] = [];
    const listSettlementItems: Deps['gateway']['listSettlementItems'] = async (day) => {
      asked.push(`${day.year}-${day.month}-${day.day}`);
      return [];
    };
    const gateway = { ...deps.gateway, listSettlementItems };
    for (const now of ['2026-01-31T18:29:59Z', '2026-01-31T18:30:00Z']) {
      await reconcileSettlements({ ...deps, gateway, now: () => new Date(now) });
    }
    expect(asked.filter((day) => day.startsWith('2026-2'))).toEqual(['2026-2-1']);
    expect(asked.at(-1)).toBe('2026-2-1');
  });

  test('while the gateway is away nothing is booked by halves', async () => {
    await paid();
    await edge.control.settle();
    await edge.control.setFaults({
      answers: { rules: [{ fault: 'error-before', path: '/settlements' }] },
    });
    await expect(reconcileSettlements(deps)).rejects.toMatchObject({ code: 'gateway-unavailable' });
    await edge.control.resetFaults();
    expect(await reconcileSettlements(deps)).toMatchObject({ booked: 1 });
    expect(await held('gateway_clearing')).toBe(0);
  });
});
