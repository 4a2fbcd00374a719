// Refunds: unspent tokens for what was paid for them, approved by somebody else, sent once, never paid twice.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { somebodyElse, waits } from '../testing/locks.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import {
  decideRefund,
  holdTokens,
  listWalletEntries,
  observeDispute,
  observePayment,
  observeRefund,
  type RefundRow,
  readBalance,
  releaseHold,
  requestRefund,
  takeRefundsToSend,
  tip,
  verifyBooks,
} from './index.ts';

/** The package that is bought here: 100 tokens. */
const starter = { tokens: 100, netPaise: 9746, gstPaise: 1754, pricePaise: 11_500 };

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;
let staffId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
  staffId = (await cast.person('admin')).id;
  // What is tried here is not how much one may order.
  await cast.setRule('order_open_max', null);
});
afterAll(async () => {
  await database.close();
});

async function buyer() {
  const { user, gatewayPaymentId } = await cast.buyer(1);
  return { userId: user.id, gatewayPaymentId };
}
type Buyer = Awaited<ReturnType<typeof buyer>>;

function request(of: Buyer, tokens?: number, more: { by?: string; key?: string } = {}) {
  return requestRefund(database.db, {
    by: more.by ?? of.userId,
    gatewayPaymentId: of.gatewayPaymentId,
    tokens,
    reason: 'changed my mind',
    idempotencyKey: more.key ?? cast.unique('key'),
  });
}

function decide(refund: RefundRow, approve = true, by = staffId) {
  return decideRefund(database.db, { refundId: refund.id, staffId: by, approve });
}

type Facts = Parameters<typeof observeRefund>[1];
/** What the gateway says of a refund of ours. */
function say(refund: RefundRow, status: Facts['status'], change: Partial<Facts> = {}) {
  return observeRefund(database.db, {
    refundId: refund.id,
    gatewayRefundId: `rfnd_${refund.id}`,
    gatewayPaymentId: refund.gatewayPaymentId,
    amountPaise: refund.amountPaise,
    status,
    ...change,
  });
}

/** What the gateway says of one that was made there. */
function made(of: Buyer, amountPaise: number, change: Partial<Facts> = {}) {
  return observeRefund(database.db, {
    gatewayRefundId: cast.unique('rfnd'),
    gatewayPaymentId: of.gatewayPaymentId,
    amountPaise,
    status: 'processed',
    ...change,
  });
}

function dispute(
  of: Buyer,
  status: 'open' | 'won' | 'lost',
  id = cast.unique('disp'),
  amountPaise = starter.pricePaise,
) {
  return observeDispute(database.db, {
    gatewayDisputeId: id,
    gatewayPaymentId: of.gatewayPaymentId,
    amountPaise,
    phase: 'chargeback',
    reasonCode: 'fraud',
    status,
    respondBy: null,
  });
}

/** Ended: it may be looked at as a whole by then. */
async function stateOf(refund: RefundRow) {
  const [row] = await database.asOwner<{ state: string }>(
    'select state from refunds where id = $1',
    [refund.id],
  );
  return row?.state;
}

async function refundedOf(of: Buyer): Promise<number> {
  const [row] = await database.asOwner<{ paise: string }>(
    'select refunded_paise as paise from payments where gateway_payment_id = $1',
    [of.gatewayPaymentId],
  );
  return Number(row?.paise);
}

describe('what is given back', () => {
  test('unspent tokens alone, for their price with its tax', async () => {
    const of = await buyer();
    const { streamId } = await cast.liveStream();
    await cast.tipped(of.userId, streamId, 40);
    expect((await refusalOf(request(of, 61))).details).toMatchObject({ unspentTokens: 60 });
    expect((await refusalOf(request(of, 0))).code).toBe('not-refundable');
    const refund = await request(of);
    expect(refund).toMatchObject({ tokens: 60, state: 'requested' });
    // 60 of 100 tokens, rounded at most by a paisa each for price and tax.
    expect(Math.abs(refund.netPaise - starter.netPaise * 0.6)).toBeLessThan(1);
    expect(Math.abs(refund.gstPaise - starter.gstPaise * 0.6)).toBeLessThan(1);
    const moved = await cast.movedBy(() => decide(refund));
    expect(moved).toEqual({
      refunding: -60,
      tokens_outstanding: -60,
      reserved_prepaid: -refund.netPaise,
      gst_payable: -refund.gstPaise,
      refunds: refund.amountPaise,
    });
    expect(await cast.movedBy(() => say(refund, 'processed'))).toEqual({
      refunds: -refund.amountPaise,
      gateway_clearing: -refund.amountPaise,
    });
    expect(await refundedOf(of)).toBe(refund.amountPaise);
    expect((await refusalOf(request(of))).details).toMatchObject({ unspentTokens: 0 });
  });

  test.each([1, 7, 33])(
    'in parts of %i tokens: to the paisa proportional after each, and in the end the whole price',
    async (part) => {
      const of = await buyer();
      let tokens = 0;
      let net = 0;
      let gst = 0;
      while (tokens < starter.tokens) {
        const refund = await request(of, Math.min(part, starter.tokens - tokens));
        tokens += refund.tokens;
        net += refund.netPaise;
        gst += refund.gstPaise;
        expect(Math.abs(net - (starter.netPaise * tokens) / starter.tokens)).toBeLessThan(1);
        expect(Math.abs(gst - (starter.gstPaise * tokens) / starter.tokens)).toBeLessThan(1);
        const worth = (starter.pricePaise * tokens) / starter.tokens;
        expect(Math.abs(net + gst - worth)).toBeLessThan(1);
        await decide(refund, tokens % 3 !== 0);
        if (tokens % 3 === 0) {
          // Refused, and asked for again: nothing is gained or lost by that.
          const again = await request(of, refund.tokens);
          expect(Math.abs(again.amountPaise - refund.amountPaise)).toBeLessThanOrEqual(1);
          net += again.netPaise - refund.netPaise;
          gst += again.gstPaise - refund.gstPaise;
          await decide(again);
        }
      }
      expect({ net, gst }).toEqual({ net: starter.netPaise, gst: starter.gstPaise });
      expect(await refundedOf(of)).toBe(starter.pricePaise);
      expect(await cast.accountsOf(of.userId)).toEqual({});
    },
  );

  test('what is left after many small tips is worth its part of the price', async () => {
    const of = await buyer();
    const { streamId } = await cast.liveStream();
    for (let spent = 1; spent <= 54; spent += 1) {
      await cast.tipped(of.userId, streamId, 1);
      const [lot] = await cast.lotsOf(of.userId);
      const worth = (starter.netPaise * (starter.tokens - spent)) / starter.tokens;
      expect(Math.abs((lot?.paise ?? 0) - worth)).toBeLessThan(1);
    }
  });

  test('tokens that wait cannot be spent; refused, they come back as they were', async () => {
    const of = await buyer();
    const { streamId } = await cast.liveStream();
    const before = await cast.lotsOf(of.userId);
    const refund = await request(of, 30);
    expect(await readBalance(database.db, of.userId)).toBe(70);
    expect((await refusalOf(cast.tipped(of.userId, streamId, 71))).code).toBe(
      'insufficient-balance',
    );
    await decide(refund, false);
    expect(await cast.lotsOf(of.userId)).toEqual(before);
    const whole = await request(of);
    expect(whole).toMatchObject({ tokens: 100, amountPaise: starter.pricePaise });
  });

  test('one that failed brings tokens, price and tax back as they were', async () => {
    const of = await buyer();
    const before = await cast.lotsOf(of.userId);
    const refund = await request(of, 33);
    await decide(refund);
    await say(refund, 'pending');
    await say(refund, 'failed');
    expect(await cast.lotsOf(of.userId)).toEqual(before);
    expect(await refundedOf(of)).toBe(0);
    const [failed] = await database.asOwner(
      `select j.reverses = r.journal_id as is_of_its_act from refunds r
        join ledger.journal j on j.idempotency_key = 'refund-failed:' || r.id where r.id = $1`,
      [refund.id],
    );
    expect(failed).toEqual({ is_of_its_act: true });
    expect(await cast.casesOf(refund.id)).toEqual(['refund-failed']);
    expect(await request(of)).toMatchObject({ tokens: 100, amountPaise: starter.pricePaise });
  });

  test('tips that race a request for all that is unspent take or leave each token', async () => {
    const of = await buyer();
    const { performer, streamId } = await cast.liveStream();
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 20 }, () => cast.tipped(of.userId, streamId, 2)),
      request(of),
      request(of, 50),
      ...Array.from({ length: 20 }, () => cast.tipped(of.userId, streamId, 2)),
    ]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        expect(['insufficient-balance', 'not-refundable']).toContain(outcome.reason.code);
      }
    }
    const [row] = await database.asOwner<{ tokens: string }>(
      `select coalesce(sum(tokens), 0) as tokens from refunds where user_id = $1`,
      [of.userId],
    );
    const { performer_pending: earned = 0 } = await cast.accountsOf(performer.id);
    expect(Number(row?.tokens) + earned / 50 + (await readBalance(database.db, of.userId))).toBe(
      starter.tokens,
    );
  });
});

describe('what is told of it beforehand', () => {
  const told = async (of: Buyer) => {
    const rows = await listWalletEntries(database.db, of.userId, { kind: 'purchase', limit: 10 });
    return rows.find((row) => row.gatewayPaymentId === of.gatewayPaymentId)?.returnable;
  };

  test('the unspent tokens and the very sum that comes back for them, at whatever moment it is asked', async () => {
    const of = await buyer();
    const { streamId } = await cast.liveStream();
    expect(await told(of)).toEqual({
      tokens: 100,
      unspentTokens: 100,
      refundPaise: starter.pricePaise,
      obstacle: null,
    });
    let unspent = starter.tokens;
    for (const tokens of [1, 6, 13, 3, 29]) {
      await cast.tipped(of.userId, streamId, tokens);
      unspent -= tokens;
      const before = await told(of);
      expect(before).toMatchObject({ unspentTokens: unspent, obstacle: null });
      const all = await request(of);
      expect(all).toMatchObject({ tokens: unspent, amountPaise: before?.refundPaise });
      expect(await told(of)).toMatchObject({ unspentTokens: 0, refundPaise: 0, obstacle: 'spent' });
      await decide(all, false);
      // A part goes for good: what is left is told anew.
      await decide(await request(of, 2));
      unspent -= 2;
    }
    const refused = (await refusalOf(request(of, unspent + 1))).details;
    expect(refused).toEqual({ ...(await told(of)), obstacle: 'spent' });
    const rest = await request(of, unspent);
    expect(rest.amountPaise).toBe(refused.refundPaise);
  });

  test('why none can be given back: held, disputed, too late, or given back in another way', async () => {
    const held = await buyer();
    const { performer, streamId } = await cast.liveStream();
    await holdTokens(database.db, {
      viewerId: held.userId,
      performerId: performer.id,
      streamId,
      tokens: 100,
      expiresAt: new Date(Date.now() + 3_600_000),
      idempotencyKey: cast.unique('key'),
    });
    expect(await told(held)).toMatchObject({ unspentTokens: 0, obstacle: 'spent' });

    const disputed = await buyer();
    await dispute(disputed, 'open', cast.unique('disp'), starter.pricePaise / 10);
    expect(await told(disputed)).toEqual({
      tokens: 100,
      unspentTokens: 90,
      refundPaise: 0,
      obstacle: 'disputed',
    });

    const late = await buyer();
    await database.asOwner(
      `update payments set captured_at = now() - interval '91 days' where gateway_payment_id = $1`,
      [late.gatewayPaymentId],
    );
    expect(await told(late)).toMatchObject({
      unspentTokens: 100,
      refundPaise: 0,
      obstacle: 'too-late',
    });

    // All the money went back while the tokens were held: they came back for it, and went with it.
    const back = await buyer();
    const { reservationId } = await holdTokens(database.db, {
      viewerId: back.userId,
      performerId: performer.id,
      streamId,
      tokens: 100,
      expiresAt: new Date(Date.now() + 3_600_000),
      idempotencyKey: cast.unique('key'),
    });
    await made(back, starter.pricePaise);
    await releaseHold(database.db, reservationId);
    expect(await told(back)).toMatchObject({
      unspentTokens: 0,
      refundPaise: 0,
      obstacle: 'spent',
    });
    expect((await refusalOf(request(back))).details).toMatchObject({ obstacle: 'spent' });
  });
});

describe('tokens that are worth more than what has not gone back', () => {
  /** Money that went back when nobody called tokens back for it. */
  const gone = {
    'a refund': `insert into refunds (gateway_payment_id, user_id, tokens, net_paise, gst_paise, taken_net_paise,
        taken_gst_paise, state, reason, idempotency_key)
      select p.gateway_payment_id, o.user_id, 0, 10000, 0, 0, 0, 'processed', 'of before', $2
        from payments p join orders o on o.id = p.order_id where p.gateway_payment_id = $1`,
    'a lost dispute': `insert into disputes (gateway_dispute_id, gateway_payment_id, user_id, amount_paise, phase,
        reason_code, state, opened_by, closed_at)
      select $2, p.gateway_payment_id, o.user_id, 10000, 'chargeback', '', 'lost', uuid_v7(), now()
        from payments p join orders o on o.id = p.order_id where p.gateway_payment_id = $1`,
  };

  test.each(Object.entries(gone))('are not given back as well: %s', async (_, statement) => {
    const of = await buyer();
    const name = cast.unique('of_before');
    await database.asOwner(statement, [of.gatewayPaymentId, name]);
    expect((await refusalOf(request(of, 14))).details).toMatchObject({ obstacle: 'given-back' });
    expect(await request(of, 13)).toMatchObject({ amountPaise: 13 * 115 });
    await database.asOwner('delete from refunds where idempotency_key = $1', [name]);
    await database.asOwner('delete from disputes where gateway_dispute_id = $1', [name]);
  });
});

describe('who may', () => {
  test('the buyer within the window, staff after it, and nobody for others', async () => {
    const of = await buyer();
    const stranger = await cast.person();
    expect((await refusalOf(request(of, 1, { by: stranger.id }))).code).toBe('not-found');
    expect((await refusalOf(request({ ...of, gatewayPaymentId: 'pay_unknown' }, 1))).code).toBe(
      'not-found',
    );
    await database.asOwner(
      `update payments set captured_at = now() - interval '91 days' where gateway_payment_id = $1`,
      [of.gatewayPaymentId],
    );
    expect((await refusalOf(request(of, 1))).details).toMatchObject({
      obstacle: 'too-late',
    });
    await request(of, 1, { by: staffId });
    await cast.setRule('refund_window_days', null);
    await request(of, 1);
    await cast.setRule('refund_window_days', 90);
  });

  test('whoever asked does not approve, nor does the buyer, nor anybody who is not staff', async () => {
    const other = await cast.person('admin');
    const of = await buyer();
    const refund = await request(of, 10, { by: staffId });
    expect((await refusalOf(decide(refund))).code).toBe('second-person-needed');
    expect((await refusalOf(decide(refund, true, of.userId))).code).toBe('forbidden');
    await database.asOwner(`update users set role = 'admin' where id = $1`, [of.userId]);
    expect((await refusalOf(decide(refund, true, of.userId))).code).toBe('second-person-needed');
    await decide(refund, true, other.id);
    const own = await request(of, 10);
    await database.asOwner('update users set banned_at = now() where id = $1', [other.id]);
    expect((await refusalOf(decide(own, true, other.id))).code).toBe('forbidden');
  });

  test('it is decided once: the same word again changes nothing, another one is refused', async () => {
    const other = await cast.person('admin');
    const refund = await request(await buyer(), 10);
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 4 }, () => decide(refund)),
      ...Array.from({ length: 4 }, () => decide(refund, false, other.id)),
    ]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('already-decided');
    }
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
  });

  test('whoever has let it go does not refuse it afterwards, nor the other way', async () => {
    for (const first of [true, false]) {
      const refund = await request(await buyer(), 10);
      await decide(refund, first);
      expect((await refusalOf(decide(refund, !first))).code).toBe('already-decided');
      expect(await decide(refund, first)).toMatchObject({ state: first ? 'approved' : 'rejected' });
    }
  });

  test('a decision locks the payment before the refund, as whatever else moves its money', async () => {
    const of = await buyer();
    const refund = await request(of, 10);
    const other = await somebodyElse(database);
    await other.query('select from payments where gateway_payment_id = $1 for no key update', [
      of.gatewayPaymentId,
    ]);
    const decided = decide(refund);
    await waits(database, decided);
    await other.query('select from refunds where id = $1 for no key update nowait', [refund.id]);
    await other.end();
    expect(await decided).toMatchObject({ state: 'approved' });
  });

  test('the same key asks once; two people may choose the same', async () => {
    const of = await buyer();
    const key = cast.unique('key');
    const asked = await Promise.all(Array.from({ length: 6 }, () => request(of, 5, { key })));
    expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
    expect((await refusalOf(request(of, 6, { key }))).code).toBe('idempotency-key-reused');
    await request(of, 5, { by: staffId, key });
    expect(await readBalance(database.db, of.userId)).toBe(90);
  });
});

describe('on its way', () => {
  test('an approved one is given to one sender at a time, later and later, until its end is known', async () => {
    const refund = await request(await buyer(), 10);
    const mine = async () => {
      const rounds = await Promise.all(
        Array.from({ length: 4 }, () => takeRefundsToSend(database.db, 100)),
      );
      return rounds.flat().filter(({ id }) => id === refund.id).length;
    };
    const age = (interval: string) =>
      database.asOwner(
        'update refunds set next_attempt_at = next_attempt_at - $2::interval where id = $1',
        [refund.id, interval],
      );
    expect(await mine()).toBe(0);
    await decide(refund);
    expect(await mine()).toBe(1);
    expect(await mine()).toBe(0);
    await age('61 seconds');
    expect(await mine()).toBe(1);
    await age('61 seconds');
    expect(await mine()).toBe(0);
    await say(refund, 'pending');
    await age('1 hour');
    expect(await mine()).toBe(1);
    await say(refund, 'processed');
    expect(await mine()).toBe(0);
  });

  test.each([
    ['processed', 0],
    ['failed', 20],
  ] as const)('told in any order and again, one that %s ends in one state', async (end, back) => {
    const told = ['created', 'pending', end, end] as const;
    for (let turn = 0; turn < told.length; turn += 1) {
      const of = await buyer();
      const refund = await request(of, 20);
      await decide(refund);
      const rotated = [...told.slice(turn), ...told.slice(0, turn)];
      for (const status of rotated) await say(refund, status);
      await Promise.all(told.map((status) => say(refund, status)));
      expect(await stateOf(refund)).toBe(end);
      expect(await readBalance(database.db, of.userId)).toBe(80 + back);
    }
  });

  test('one that is said to have failed and then to be processed, or the other way, is looked at', async () => {
    for (const [first, second] of [
      ['failed', 'processed'],
      ['processed', 'failed'],
    ] as const) {
      const refund = await request(await buyer(), 20);
      await decide(refund);
      await say(refund, first);
      await say(refund, second);
      expect(await stateOf(refund)).toBe(first);
      expect(await cast.casesOf(`rfnd_${refund.id}`)).toEqual(['refund-contradiction']);
      // The gateway says the same again and again, and one look is enough.
      await database.asOwner(`update cases set state = 'resolved' where subject = $1`, [
        `rfnd_${refund.id}`,
      ]);
      await say(refund, second);
      expect(await cast.casesOf(`rfnd_${refund.id}`)).toEqual([]);
    }
  });

  test('of a payment that is not captured yet nothing is booked, and somebody looks', async () => {
    const user = await cast.person();
    const order = await cast.orderOf(user.id, 1);
    const of = { userId: user.id, gatewayPaymentId: cast.unique('pay') };
    await observePayment(database.db, {
      gatewayPaymentId: of.gatewayPaymentId,
      gatewayOrderId: order.gatewayOrderId ?? '',
      amountPaise: order.amountPaise,
      currency: 'INR',
      status: 'authorized',
    });
    const gatewayRefundId = cast.unique('rfnd');
    const moved = await cast.movedBy(async () => {
      const refusal = await refusalOf(made(of, 1150, { gatewayRefundId }));
      expect(refusal.code).toBe('not-found');
    });
    expect(moved).toEqual({});
    expect(await cast.casesOf(gatewayRefundId)).toEqual(['refund-of-unknown-payment']);
  });

  test('another amount or payment than asked for opens a case and books nothing', async () => {
    const of = await buyer();
    const other = await buyer();
    const refund = await request(of, 20);
    await decide(refund);
    await say(refund, 'pending');
    const moved = await cast.movedBy(async () => {
      for (const change of [
        { amountPaise: refund.amountPaise - 1 },
        { gatewayPaymentId: other.gatewayPaymentId },
      ]) {
        const refusal = await refusalOf(say(refund, 'processed', change));
        expect(refusal.code).toBe('payment-mismatch');
      }
      const unknown = { gatewayPaymentId: 'pay_unknown', gatewayRefundId: 'rfnd_unknown' };
      expect((await refusalOf(say(refund, 'processed', unknown))).code).toBe('not-found');
    });
    expect(moved).toEqual({});
    expect(await cast.casesOf(`rfnd_${refund.id}`)).toEqual(['refund-mismatch']);
    expect(await cast.casesOf('rfnd_unknown')).toEqual(['refund-of-unknown-payment']);
    const answer = await database.asOwner<{ result: { refused?: string } }>(
      'select refund_observed($1::jsonb) as result',
      [
        JSON.stringify({
          refundId: refund.id,
          gatewayRefundId: `rfnd_${refund.id}`,
          gatewayPaymentId: of.gatewayPaymentId,
          status: 'processed',
        }),
      ],
    );
    expect(answer[0]?.result.refused).toBe('payment-mismatch');
  });
});

describe('made at the gateway', () => {
  test('it takes back the tokens that its money paid for, once', async () => {
    const of = await buyer();
    const id = cast.unique('rfnd');
    const moved = await cast.movedBy(() =>
      Promise.all(
        Array.from({ length: 6 }, () => made(of, starter.pricePaise / 2, { gatewayRefundId: id })),
      ),
    );
    expect(moved).toEqual({
      viewer_tokens: -50,
      viewer_prepaid: -4873,
      tokens_outstanding: -50,
      gst_payable: -877,
      gateway_clearing: -5750,
    });
    expect(await cast.casesOf(id)).toEqual(['refund-made-at-gateway']);
    expect(await refundedOf(of)).toBe(starter.pricePaise / 2);
    expect(await request(of)).toMatchObject({ tokens: 50, amountPaise: starter.pricePaise / 2 });
  });

  test('what its money paid for and is spent is the platform’s loss; if it fails everything is as before', async () => {
    const of = await buyer();
    const { streamId } = await cast.liveStream();
    await cast.tipped(of.userId, streamId, 90);
    const before = await cast.lotsOf(of.userId);
    const id = cast.unique('rfnd');
    const booked = { gatewayRefundId: id, status: 'created' } as const;
    const moved = await cast.movedBy(() => made(of, starter.pricePaise, booked));
    const [lot] = before;
    expect(moved).toEqual({
      viewer_tokens: -10,
      viewer_prepaid: -(lot?.paise ?? 0),
      tokens_outstanding: -10,
      gst_payable: -starter.gstPaise,
      refunds: starter.pricePaise,
      dispute_losses: starter.netPaise - (lot?.paise ?? 0),
    });
    expect(await refundedOf(of)).toBe(starter.pricePaise);
    const back = await cast.movedBy(() =>
      made(of, starter.pricePaise, { gatewayRefundId: id, status: 'failed' }),
    );
    expect(back).toEqual(
      Object.fromEntries(Object.entries(moved).map(([name, value]) => [name, -value])),
    );
    expect(await cast.lotsOf(of.userId)).toEqual(before);
    expect(await refundedOf(of)).toBe(0);
  });

  test('beyond the price it is booked as well, and undone as well', async () => {
    const of = await buyer();
    await made(of, starter.pricePaise);
    const id = cast.unique('rfnd');
    await made(of, 500, { gatewayRefundId: id, status: 'created' });
    expect(await refundedOf(of)).toBe(starter.pricePaise);
    await made(of, 500, { gatewayRefundId: id, status: 'failed' });
    expect(await refundedOf(of)).toBe(starter.pricePaise);
  });

  test.each(['pending', 'processed'] as const)(
    'a second one under the name of one of ours that is %s is money that left twice, and is booked twice',
    async (status) => {
      const of = await buyer();
      const refund = await request(of, 20);
      await decide(refund);
      await say(refund, status);
      const second = cast.unique('rfnd');
      const moved = await cast.movedBy(() => say(refund, 'processed', { gatewayRefundId: second }));
      expect(moved).toMatchObject({
        gateway_clearing: -refund.amountPaise,
        tokens_outstanding: -20,
      });
      expect(await cast.casesOf(second)).toEqual(['refund-made-at-gateway']);
      await say(refund, 'processed');
      expect(await readBalance(database.db, of.userId)).toBe(60);
    },
  );

  test('under the name of one of another payment it is booked for its own', async () => {
    const [of, other] = [await buyer(), await buyer()];
    const refund = await request(of, 20);
    await decide(refund);
    const { gatewayPaymentId } = other;
    await say(refund, 'processed', { gatewayPaymentId });
    expect(await readBalance(database.db, other.userId)).toBe(80);
    expect(await stateOf(refund)).toBe('approved');
    expect(await cast.casesOf(`rfnd_${refund.id}`)).toEqual(['refund-made-at-gateway']);
  });

  test('a token whose money has gone back in part is gone', async () => {
    const of = await buyer();
    await made(of, 1);
    expect(await readBalance(database.db, of.userId)).toBe(99);
    await made(of, starter.pricePaise / 100 + 1);
    expect(await readBalance(database.db, of.userId)).toBe(97);
  });

  test('it waits for whoever moves tokens of the viewer, and takes what is left then', async () => {
    const of = await buyer();
    const other = await somebodyElse(database);
    await other.query('select ledger.lock_viewer($1)', [of.userId]);
    const told = made(of, starter.pricePaise);
    await waits(database, told);
    await other.end();
    await told;
    expect(await readBalance(database.db, of.userId)).toBe(0);
  });

  test.each(['requested', 'rejected'] as const)(
    'under the name of one that is only %s, it is not that one, and no money leaves twice',
    async (state) => {
      const of = await buyer();
      const refund = await request(of, 20);
      if (state === 'rejected') await decide(refund, false);
      const moved = await cast.movedBy(() => say(refund, 'processed'));
      expect(moved).toMatchObject({
        gateway_clearing: -refund.amountPaise,
        tokens_outstanding: -20,
      });
      expect(await stateOf(refund)).toBe('rejected');
      expect(await readBalance(database.db, of.userId)).toBe(80);
    },
  );

  test('what waits for approval or for its sender is withdrawn by it; what is on its way is not', async () => {
    const of = await buyer();
    const [waiting, approved, sent] = [
      await request(of, 20),
      await request(of, 20),
      await request(of, 20),
    ];
    await decide(sent);
    await takeRefundsToSend(database.db, 100);
    await decide(approved);
    await made(of, 1150);
    expect(await Promise.all([waiting, approved, sent].map(stateOf))).toEqual([
      'rejected',
      'failed',
      'approved',
    ]);
    expect((await refusalOf(decide(waiting))).code).toBe('already-decided');
    expect(await readBalance(database.db, of.userId)).toBe(70);
    const ids = (await takeRefundsToSend(database.db, 100)).map(({ id }) => id);
    expect(ids).not.toContain(approved.id);
    const told = await database.asOwner<{ subject: string }>(
      `select subject from audit_log where action = 'refund.withdrawn' and subject = any ($1)`,
      [[waiting.id, approved.id, sent.id]],
    );
    expect(told.map(({ subject }) => subject).toSorted()).toEqual(
      [waiting.id, approved.id].toSorted(),
    );
  });
});

test('what is being taken by its sender is not withdrawn: it may be on its way', async () => {
  const of = await buyer();
  const refund = await request(of, 20);
  await decide(refund);
  const other = await somebodyElse(database);
  await other.query('select refunds_to_send(1000)');
  const told = made(of, 1150);
  await waits(database, told);
  await other.query('commit');
  await other.end();
  await told;
  expect(await stateOf(refund)).toBe('approved');
  expect(await readBalance(database.db, of.userId)).toBe(70);
});

test('one that failed locks the viewer before their tokens, as a tip does', async () => {
  const of = await buyer();
  const refund = await request(of, 20);
  await decide(refund);
  const other = await somebodyElse(database);
  await other.query('select ledger.lock_viewer($1)', [of.userId]);
  const told = say(refund, 'failed');
  await waits(database, told);
  await other.query('select from ledger.lots where owner_id = $1 for no key update nowait', [
    of.userId,
  ]);
  await other.end();
  await told;
  expect(await readBalance(database.db, of.userId)).toBe(100);
});

describe('disputed payments', () => {
  test('nothing is asked for while its bank wants it back, nor approved, nor sent', async () => {
    const of = await buyer();
    const [waiting, approved] = [await request(of, 20), await request(of, 20)];
    await decide(approved);
    const id = cast.unique('disp');
    await dispute(of, 'open', id);
    expect((await refusalOf(request(of, 1))).code).toBe('not-refundable');
    expect((await refusalOf(decide(waiting))).code).toBe('already-decided');
    expect(await Promise.all([waiting, approved].map(stateOf))).toEqual(['rejected', 'failed']);
    const ids = (await takeRefundsToSend(database.db, 100)).map((refund) => refund.id);
    expect(ids).not.toContain(approved.id);
    // All its tokens wait for the outcome.
    expect(await cast.accountsOf(of.userId)).toEqual({
      disputed: 100,
      reserved_prepaid: starter.netPaise,
    });
    await dispute(of, 'won', id);
    expect(await request(of)).toMatchObject({ tokens: 100, amountPaise: starter.pricePaise });
  });

  test('what is being asked for when it is disputed is withdrawn all the same', async () => {
    const of = await buyer();
    const other = await somebodyElse(database);
    const { rows } = await other.query<{ id: string }>(
      `select ledger.refund_requested($1, $2, 20, 'x', 'at the same time')->>'id' as id`,
      [of.userId, of.gatewayPaymentId],
    );
    const disputed = dispute(of, 'open');
    await waits(database, disputed);
    await other.query('commit');
    await other.end();
    await disputed;
    const [row] = await database.asOwner('select state from refunds where id = $1', [rows[0]?.id]);
    expect(row).toEqual({ state: 'rejected' });
    expect(await cast.accountsOf(of.userId)).toMatchObject({ disputed: 100 });
  });

  test('while a part is disputed the rest is not given back either', async () => {
    const of = await buyer();
    const id = cast.unique('disp');
    await dispute(of, 'open', id, starter.pricePaise / 10);
    expect(await readBalance(database.db, of.userId)).toBe(90);
    expect((await refusalOf(request(of, 1))).details).toEqual({
      tokens: 100,
      unspentTokens: 90,
      refundPaise: 0,
      obstacle: 'disputed',
    });
    await dispute(of, 'lost', id, starter.pricePaise / 10);
    expect(await request(of)).toMatchObject({ tokens: 90 });
  });

  test('a dispute that races request, approval and tips leaves every token in one place', async () => {
    for (let turn = 0; turn < 10; turn += 1) {
      const of = await buyer();
      const { streamId } = await cast.liveStream();
      const refund = await request(of, 30);
      await Promise.allSettled([
        decide(refund),
        request(of, 10),
        dispute(of, 'open'),
        cast.tipped(of.userId, streamId, 5, 5),
        takeRefundsToSend(database.db, 100),
      ]);
    }
    expect(await verifyBooks(database.db)).toEqual([]);
  });
});

test('tokens that are held or were spent elsewhere are not given back with a lot', async () => {
  const of = await buyer();
  const { performer, streamId } = await cast.liveStream();
  await holdTokens(database.db, {
    viewerId: of.userId,
    performerId: performer.id,
    streamId,
    tokens: 30,
    expiresAt: new Date(Date.now() + 3_600_000),
    idempotencyKey: cast.unique('key'),
  });
  const refund = await request(of);
  expect(refund.tokens).toBe(70);
  const poor = tip(database.db, {
    viewerId: of.userId,
    streamId,
    amountTokens: 1,
    message: '',
    anonymous: false,
    idempotencyKey: cast.unique('key'),
  });
  expect((await refusalOf(poor)).details).toMatchObject({ availableTokens: 0 });
});

test('after all of this every invariant holds', async () => {
  expect(await verifyBooks(database.db)).toEqual([]);
});
