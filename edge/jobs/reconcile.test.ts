// The reconciler: what webhooks did not tell, it asks; nothing is credited twice, and nothing is left out.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readBalance, verifyBooks } from '#db';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { type Cast, createCast, type Member } from '../testing/cast.ts';
import { followDisputes } from './disputes.ts';
import { reconcileOrders } from './reconcile.ts';

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
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

const outageSeconds = 25 * 3600;
const balanceOf = (who: { id: string }) => readBalance(edge.database.db, who.id);
/** As if so much time had gone by since the orders were made. */
const age = (seconds: number) =>
  edge.database.asOwner(
    `update orders set created_at = created_at - make_interval(secs => $1),
        check_at = check_at - make_interval(secs => $1)`,
    [seconds],
  );
const makeDue = () =>
  edge.database.asOwner(
    `update orders set check_at = now() - interval '1 second' where state <> 'paid'`,
  );

async function payers(count: number): Promise<{ buyer: Member; gatewayOrderId: string }[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const buyer = await cast.member();
      return { buyer, gatewayOrderId: (await cast.order(buyer)).gatewayOrderId };
    }),
  );
}

describe('an outage', () => {
  test('of 25 hours, with a tenth of the webhooks before it lost for ever: one round credits all, none twice', async () => {
    const [before, during] = [await payers(150), await payers(150)];
    const idle = await payers(20);
    await edge.control.setFaults({ webhooks: { mode: 'manual' } });
    for (const [place, { gatewayOrderId }] of before.entries()) {
      await edge.control.pay(gatewayOrderId);
      // Every tenth payment loses all that was to be told of it.
      if (place % 10 === 0) continue;
      for (const event of await edge.control.events(gatewayOrderId)) {
        await edge.control.deliver(event.id);
      }
    }
    await edge.control.settled();
    // Nobody hears anything; the gateway gives up after a day.
    for (const { gatewayOrderId } of during) await edge.control.pay(gatewayOrderId);
    const late = await payers(15);
    for (const { gatewayOrderId } of late) {
      const { payment } = await edge.control.pay(gatewayOrderId, { outcome: 'failure' });
      await edge.control.authorizeLate(payment.id);
    }
    await edge.control.moveClock(outageSeconds);
    await age(outageSeconds);
    const all = [...before, ...during, ...late];
    const paidBefore = await Promise.all(all.map(({ buyer }) => balanceOf(buyer)));
    const missing = paidBefore.filter((tokens) => tokens === 0).length;
    expect(missing).toBe(before.length / 10 + during.length + late.length);

    const round = await reconcileOrders(edge.parts.deps);
    expect(round).toMatchObject({ credited: missing, failed: 0 });
    for (const { buyer } of all) expect(await balanceOf(buyer)).toBe(50);
    for (const { buyer } of idle) expect(await balanceOf(buyer)).toBe(0);

    // A second round, and all that was held back after all: still once each.
    await makeDue();
    expect(await reconcileOrders(edge.parts.deps)).toMatchObject({ credited: 0 });
    await edge.control.setFaults({ webhooks: { mode: 'auto', shuffleMs: 50 } });
    for (const { gatewayOrderId } of during.slice(0, 30)) {
      for (const event of await edge.control.events(gatewayOrderId)) {
        await edge.control.deliver(event.id, 2);
      }
    }
    await edge.control.settled();
    for (const { buyer } of all) expect(await balanceOf(buyer)).toBe(50);
    const [credits] = await edge.database.asOwner<{ count: number }>(
      `select count(*)::int from ledger.journal where kind = 'purchase'`,
    );
    expect(credits?.count).toBe(all.length);
  }, 60_000);

  test('while the gateway is away nothing is lost: each order comes again, less and less often', async () => {
    const [one] = await payers(1);
    await edge.control.setFaults({
      webhooks: { mode: 'manual' },
      answers: { rules: [{ fault: 'error-before', path: '/payments', method: 'GET' }] },
    });
    await edge.control.pay(one?.gatewayOrderId ?? '');
    await makeDue();
    expect((await reconcileOrders(edge.parts.deps)).failed).toBeGreaterThan(0);
    expect(await reconcileOrders(edge.parts.deps)).toMatchObject({ asked: 0 });
    await edge.control.resetFaults();
    await makeDue();
    expect((await reconcileOrders(edge.parts.deps)).credited).toBe(1);
  });

  test('a payment that does not fit does not keep the one behind it waiting', async () => {
    const [one] = await payers(1);
    await edge.control.setFaults({ webhooks: { mode: 'manual' } });
    const gatewayOrderId = one?.gatewayOrderId ?? '';
    const { payment: failed } = await edge.control.pay(gatewayOrderId, { outcome: 'failure' });
    await edge.control.pay(gatewayOrderId);
    // Known here as a payment of another order.
    const [other] = await payers(1);
    await edge.database.asOwner(
      `insert into payments (gateway_payment_id, order_id, amount_paise, state)
        select $1, id, amount_paise, 'failed' from orders where gateway_order_id = $2`,
      [failed.id, other?.gatewayOrderId],
    );
    await makeDue();
    expect(await reconcileOrders(edge.parts.deps)).toMatchObject({ credited: 1, failed: 1 });
    expect(one && (await balanceOf(one.buyer))).toBe(50);
  });

  test('a round that has lost its lease asks about nothing more', async () => {
    await payers(3);
    await makeDue();
    let checks = 0;
    const lease = {
      check() {
        checks += 1;
        if (checks > 1) throw new Error('lost');
      },
    };
    await expect(reconcileOrders(edge.parts.deps, lease)).rejects.toThrow('lost');
  });
});

describe('disputes', () => {
  async function paid() {
    const [one] = await payers(1);
    if (!one) throw new Error('nobody');
    const { payment } = await edge.control.pay(one.gatewayOrderId);
    await edge.control.settled();
    return { ...one, payment };
  }

  test('one that no webhook told of is found, holds the tokens, and is followed to its end', async () => {
    const { buyer, payment } = await paid();
    await edge.control.setFaults({ webhooks: { mode: 'manual' } });
    const dispute = await edge.control.openDispute(payment.id);
    expect(await balanceOf(buyer)).toBe(50);
    await followDisputes(edge.parts.deps);
    expect(await balanceOf(buyer)).toBe(0);
    expect(await cast.cases(dispute.id)).toEqual(['dispute']);
    // Far in the future it is asked about still, because it is open here.
    await edge.control.stepDispute(dispute.id, 'won');
    const future = new Date(Date.now() + 200 * 24 * 3600 * 1000);
    await followDisputes({ ...edge.parts.deps, now: () => future });
    await followDisputes({ ...edge.parts.deps, now: () => future });
    expect(await balanceOf(buyer)).toBe(50);
    expect(await cast.cases(dispute.id)).toEqual([]);
  });

  test.each(['open', 'under_review'] as const)(
    'one that is %s there is found, however old it is',
    async (status) => {
      const { buyer, payment } = await paid();
      await edge.control.setFaults({ webhooks: { mode: 'manual' } });
      const dispute = await edge.control.openDispute(payment.id);
      if (status === 'under_review') await edge.control.stepDispute(dispute.id, status);
      const future = new Date(Date.now() + 200 * 24 * 3600 * 1000);
      await followDisputes({ ...edge.parts.deps, now: () => future });
      expect(await balanceOf(buyer)).toBe(0);
    },
  );

  test('one that cannot be followed does not keep those behind it waiting', async () => {
    const { buyer, payment } = await paid();
    await edge.control.setFaults({ webhooks: { mode: 'manual' } });
    const { id } = await edge.control.openDispute(payment.id);
    const { deps } = edge.parts;
    const listDisputes = async () =>
      (await deps.gateway.listDisputes())
        .filter((dispute) => dispute.id === id)
        .flatMap((dispute) => [{ ...dispute, id: 'disp_x', payment_id: 'pay_nobody' }, dispute]);
    const gateway = { ...deps.gateway, listDisputes };
    expect(await followDisputes({ ...deps, gateway })).toEqual({ seen: 1, failed: 1 });
    expect(await balanceOf(buyer)).toBe(0);
  });

  test('a round that has lost its lease follows none', async () => {
    const { buyer, payment } = await paid();
    await edge.control.setFaults({ webhooks: { mode: 'manual' } });
    await edge.control.openDispute(payment.id);
    const lease = {
      check() {
        throw new Error('lost');
      },
    };
    await expect(followDisputes(edge.parts.deps, lease)).rejects.toThrow('lost');
    expect(await balanceOf(buyer)).toBe(50);
    await followDisputes(edge.parts.deps);
  });

  test('one of a payment that nobody told of either', async () => {
    const [one] = await payers(1);
    await edge.control.setFaults({ webhooks: { mode: 'manual' } });
    const { payment } = await edge.control.pay(one?.gatewayOrderId ?? '');
    const dispute = await edge.control.openDispute(payment.id);
    expect(await followDisputes(edge.parts.deps)).toMatchObject({ failed: 0 });
    expect(one && (await balanceOf(one.buyer))).toBe(0);
    await edge.control.stepDispute(dispute.id, 'lost');
    await followDisputes(edge.parts.deps);
    const [row] = await edge.database.asOwner(
      'select state from disputes where gateway_dispute_id = $1',
      [dispute.id],
    );
    expect(row).toEqual({ state: 'lost' });
  });
});
