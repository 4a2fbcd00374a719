// The ledger's guarantees, on a real PostgreSQL and with the rights that the services have.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import {
  balanceAt,
  createOrder,
  listPackages,
  listRoomEvents,
  listWalletEntries,
  observePayment,
  readBalance,
  readEarnings,
  setLimits,
  type TipRequest,
  tip,
  tipMany,
  transitionStream,
  verifyBooks,
} from './index.ts';

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
});
afterAll(async () => {
  await database.close();
});

function tipOf(viewerId: string, streamId: string, amountTokens: number, key: string) {
  return tip(database.db, tipRequest(viewerId, streamId, amountTokens, key));
}

function tipRequest(
  viewerId: string,
  streamId: string,
  amountTokens: number,
  idempotencyKey: string,
): TipRequest {
  return {
    viewerId,
    streamId,
    amountTokens,
    message: 'well played',
    anonymous: false,
    idempotencyKey,
  };
}

describe('purchases', () => {
  test('a captured payment credits its tokens once, however often it is told', async () => {
    const user = await cast.person();
    const order = await cast.orderOf(user.id);
    const payment = {
      gatewayOrderId: order.gatewayOrderId ?? '',
      gatewayPaymentId: 'pay_repeated',
      amountPaise: order.amountPaise,
      currency: 'INR',
      status: 'captured' as const,
    };
    const results = await Promise.all(
      Array.from({ length: 12 }, () => observePayment(database.db, payment)),
    );
    expect(results.filter((result) => result.credited)).toHaveLength(1);
    expect(await readBalance(database.db, user.id)).toBe(order.tokens);
  });

  test('a payment of another amount than ordered is refused and credits nothing', async () => {
    const user = await cast.person();
    const order = await cast.orderOf(user.id);
    const refusal = await refusalOf(
      observePayment(database.db, {
        gatewayOrderId: order.gatewayOrderId ?? '',
        gatewayPaymentId: 'pay_short',
        amountPaise: order.amountPaise - 1,
        currency: 'INR',
        status: 'captured',
      }),
    );
    expect(refusal.code).toBe('payment-mismatch');
    const cases = await database.asOwner('select kind from cases where subject = $1', [
      'pay_short',
    ]);
    expect(cases).toEqual([{ kind: 'payment-mismatch' }]);
    expect(await readBalance(database.db, user.id)).toBe(0);
  });

  test('a token never pays out as much as it cost', async () => {
    await expect(
      database.asOwner('insert into ledger.fee_policies values (2, 85)'),
    ).rejects.toMatchObject({ constraint: 'no_arbitrage' });
    await expect(
      database.asOwner(
        `insert into packages (name, tokens, price_paise, gst_rate_bp) values ('Cheap', 100, 5900, 1800)`,
      ),
    ).rejects.toMatchObject({ constraint: 'no_arbitrage' });
  });
});

describe('tips', () => {
  test('a tip moves tokens to the performer, tells the room, and shows in the wallet', async () => {
    const { user, order } = await cast.buyer();
    const { performer, streamId } = await cast.liveStream();
    const receipt = await tipOf(user.id, streamId, 20, 'tip-key-one');
    expect(receipt).toMatchObject({ balanceTokens: order.tokens - 20, replayed: false });
    const earnings = await readEarnings(database.db, performer.id);
    expect(earnings).toMatchObject({
      pendingPaise: 20 * 50,
      availablePaise: 0,
      earnedPaise: 20 * 50,
      tokensReceived: 20,
      tips: 1,
    });
    const { events } = await listRoomEvents(database.db, streamId, null);
    expect(events.at(-1)).toMatchObject({ type: 'tip.received', id: receipt.eventId });
    const history = await listWalletEntries(database.db, user.id, { limit: 10 });
    expect(history.map((row) => [row.kind, row.amountTokens, row.subject])).toEqual([
      ['tip', -20, performer.username],
      ['purchase', order.tokens, 'Taster'],
    ]);
  });

  test('the same key is carried out once, and answered alike, also when sent at the same time', async () => {
    const { user, order } = await cast.buyer();
    const { streamId } = await cast.liveStream();
    const results = await Promise.all(
      Array.from({ length: 10 }, () => tipOf(user.id, streamId, 5, 'tip-key-same')),
    );
    expect(new Set(results.map((result) => result.tipId)).size).toBe(1);
    expect(results.filter((result) => !result.replayed)).toHaveLength(1);
    expect(await readBalance(database.db, user.id)).toBe(order.tokens - 5);
  });

  test('the same key for another tip is refused', async () => {
    const { user } = await cast.buyer();
    const { streamId } = await cast.liveStream();
    await tipOf(user.id, streamId, 5, 'tip-key-reused');
    const refusal = await refusalOf(tipOf(user.id, streamId, 6, 'tip-key-reused'));
    expect(refusal.code).toBe('idempotency-key-reused');
  });

  test('of more tips than the balance holds, exactly those that fit succeed', async () => {
    const { user, order } = await cast.buyer();
    const { streamId } = await cast.liveStream();
    const results = await Promise.allSettled(
      Array.from({ length: 80 }, (_, index) =>
        tipOf(user.id, streamId, 1, `tip-key-race-${index}`),
      ),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(order.tokens);
    expect(await readBalance(database.db, user.id)).toBe(0);
  });

  test('too small a balance, oneself, a stream that is not live, an unknown stream: each has its refusal', async () => {
    const { user, order } = await cast.buyer();
    const poor = await cast.person();
    const { performer, streamId } = await cast.liveStream();
    expect((await refusalOf(tipOf(poor.id, streamId, 1, 'key-poor-1'))).details).toEqual({
      neededTokens: 1,
      availableTokens: 0,
    });
    expect((await refusalOf(tipOf(user.id, streamId, order.tokens + 1, 'key-much-1'))).code).toBe(
      'insufficient-balance',
    );
    expect((await refusalOf(tipOf(performer.id, streamId, 1, 'key-self-1'))).code).toBe('self-tip');
    const unknown = '01980000-0000-7000-8000-000000000000';
    expect((await refusalOf(tipOf(user.id, unknown, 1, 'key-none-1'))).code).toBe('not-found');
    await transitionStream(database.db, streamId, 'ended', 'performer');
    expect((await refusalOf(tipOf(user.id, streamId, 1, 'key-late-1'))).code).toBe(
      'stream-not-live',
    );
    expect(await readBalance(database.db, user.id)).toBe(order.tokens);
  });

  test('a wallet filled at several prices gives back every paisa it took', async () => {
    const { user } = await cast.buyer(0);
    const second = await cast.orderOf(user.id, 5);
    await cast.pay(second);
    const { streamId } = await cast.liveStream();
    let left = await readBalance(database.db, user.id);
    for (let amount = 7; left > 0; amount += 311) {
      const spent = Math.min(amount, left);
      left = (await tipOf(user.id, streamId, spent, `tip-key-mix-${amount}`)).balanceTokens;
    }
    const prepaid = { class: 'viewer_prepaid', ownerId: user.id, at: new Date() };
    expect(await balanceAt(database.db, prepaid)).toBe(0);
  });
});

describe('many tips in one call', () => {
  test('each succeeds or is refused by itself, also of one viewer, also twice under one key', async () => {
    const { user, order } = await cast.buyer();
    const other = await cast.buyer();
    const { performer, streamId } = await cast.liveStream();
    const answers = await tipMany(database.db, [
      tipRequest(user.id, streamId, order.tokens - 1, 'many-key-1'),
      tipRequest(other.user.id, streamId, 7, 'many-key-1'),
      tipRequest(user.id, streamId, 2, 'many-key-2'),
      tipRequest(user.id, streamId, order.tokens - 1, 'many-key-1'),
      tipRequest(performer.id, streamId, 1, 'many-key-3'),
      tipRequest(user.id, streamId, 1, 'many-key-4'),
      tipRequest(other.user.id, streamId, 8, 'many-key-1'),
    ]);
    expect(answers.map((answer) => ('code' in answer ? answer.code : answer.replayed))).toEqual([
      false,
      false,
      'insufficient-balance',
      true,
      'self-tip',
      false,
      'idempotency-key-reused',
    ]);
    expect(await readBalance(database.db, user.id)).toBe(0);
    expect(await readBalance(database.db, other.user.id)).toBe(other.order.tokens - 7);
  });

  test('calls that overlap in any order neither wait in a circle nor double a tip', async () => {
    const { streamId } = await cast.liveStream();
    const buyers = await Promise.all(Array.from({ length: 6 }, () => cast.buyer()));
    const requests = buyers.map(({ user }, index) =>
      tipRequest(user.id, streamId, 1 + index, `overlap-key-${index}`),
    );
    const calls = await Promise.all(
      Array.from({ length: 12 }, (_, turn) =>
        tipMany(database.db, turn % 2 ? requests : requests.toReversed()),
      ),
    );
    expect(calls.flat().filter((answer) => 'replayed' in answer && !answer.replayed)).toHaveLength(
      buyers.length,
    );
    for (const [index, { user, order }] of buyers.entries()) {
      expect(await readBalance(database.db, user.id)).toBe(order.tokens - 1 - index);
    }
  });
});

describe('limits', () => {
  test('a viewer’s own limit refuses what goes beyond it; lowering counts at once, raising waits', async () => {
    const { user } = await cast.buyer(2);
    const { streamId } = await cast.liveStream();
    const none = { dayTokens: null, monthTokens: null, dayPaise: null, monthPaise: null };
    await setLimits(database.db, user.id, { ...none, dayTokens: 10 });
    await tipOf(user.id, streamId, 8, 'limit-key-1');
    const refusal = await refusalOf(tipOf(user.id, streamId, 3, 'limit-key-2'));
    expect([refusal.code, refusal.details]).toEqual([
      'spending-limit',
      { period: 'day', limitTokens: 10, spentTokens: 8 },
    ]);
    const raised = await setLimits(database.db, user.id, { ...none, dayTokens: 100 });
    expect([raised.dayTokens, raised.next?.dayTokens]).toEqual([10, 100]);
    expect((await refusalOf(tipOf(user.id, streamId, 3, 'limit-key-3'))).code).toBe(
      'spending-limit',
    );
    await database.asOwner(
      `update spending_limits set next_from = now() - interval '1 minute' where user_id = $1`,
      [user.id],
    );
    await tipOf(user.id, streamId, 3, 'limit-key-4');
    await setLimits(database.db, user.id, { ...none, monthTokens: 12 });
    expect((await refusalOf(tipOf(user.id, streamId, 2, 'limit-key-5'))).details).toMatchObject({
      period: 'month',
    });
  });

  test('a limit in rupees refuses an order', async () => {
    const user = await cast.person();
    const chosen = (await listPackages(database.db))[0];
    await setLimits(database.db, user.id, {
      dayTokens: null,
      monthTokens: null,
      dayPaise: (chosen?.pricePaise ?? 0) - 1,
      monthPaise: null,
    });
    const refusal = await refusalOf(
      createOrder(database.db, {
        userId: user.id,
        packageId: chosen?.id ?? '',
        idempotencyKey: 'limited-order',
      }),
    );
    expect(refusal.code).toBe('spending-limit');
  });

  test('a new account spends only so much a day; a banned one nothing, and nobody tips a banned performer', async () => {
    const { user } = await cast.buyer(5);
    const { performer, streamId } = await cast.liveStream();
    await database.asOwner(
      `insert into rules (name, value, meaning) values ('young_account_day_tokens', 100, 'for a test')`,
    );
    await database.asOwner('update users set created_at = now() where id = $1', [user.id]);
    await tipOf(user.id, streamId, 60, 'young-key-1');
    expect((await refusalOf(tipOf(user.id, streamId, 41, 'young-key-2'))).code).toBe(
      'new-account-limit',
    );
    await database.asOwner('update users set banned_at = now() where id = $1', [user.id]);
    expect((await refusalOf(tipOf(user.id, streamId, 1, 'young-key-3'))).code).toBe(
      'account-banned',
    );
    await database.asOwner('update users set banned_at = now() where id = $1', [performer.id]);
    const { user: other } = await cast.buyer();
    expect((await refusalOf(tipOf(other.id, streamId, 1, 'young-key-4'))).code).toBe(
      'performer-unavailable',
    );
  });
});

describe('the books', () => {
  test('the services cannot write, change or remove an entry, and nobody can change one', async () => {
    const { user } = await cast.buyer();
    const attempts = [
      `insert into ledger.entries (journal_id, line, account_id, currency, amount)
        select journal_id, line, account_id, currency, amount from ledger.entries`,
      'update ledger.lots set tokens_left = 1000000',
      `insert into rules (name, value, meaning) values ('payout_min_paise', 1, '')`,
      'select sealed_details from payout_accounts',
      'select sealed_pan from tax_profiles',
      'update ledger.entries set amount = 1',
      'delete from ledger.journal',
      'update ledger.balances set balance = 1000000',
      `insert into ledger.accounts (class, owner_id) values ('viewer_tokens', '${user.id}')`,
      'update orders set amount_paise = 1',
      `insert into orders (user_id, package_id, tokens, amount_paise, gst_paise, idempotency_key)
        select '${user.id}', id, 1000000, 2, 0, 'a-forged-order' from packages limit 1`,
      `insert into events (stream_id, type, data) values (uuid_v7(), 'tip.received', '{}')`,
      `update streams set state = 'live'`,
    ];
    for (const attempt of attempts) {
      await expect(database.db.execute(attempt), attempt).rejects.toMatchObject({
        cause: { code: '42501' },
      });
    }
    await expect(database.asOwner('update ledger.entries set amount = 1')).rejects.toThrow(
      'append-only',
    );
    await expect(database.asOwner('update packages set tokens = tokens * 2')).rejects.toThrow(
      'only be withdrawn',
    );
    await expect(database.asOwner('truncate ledger.journal cascade')).rejects.toThrow(
      'append-only',
    );
  });

  test('entries that do not sum to zero, come in two goes, or miss their lot are refused, even from the owner', async () => {
    const { user } = await cast.buyer();
    const [lot] = await database.asOwner<{ id: string }>(
      'select id from ledger.lots where owner_id = $1',
      [user.id],
    );
    const record = (lines: string) =>
      database.asOwner(
        `select ledger.record(uuid_v7(), 'tip', uuid_v7()::text, '', '{}', array[${lines}])`,
      );
    await expect(
      record(`ledger.line('platform_revenue', null, 5), ledger.line('gst_payable', null, -4)`),
    ).rejects.toThrow('sum to zero');
    await expect(
      record(
        `ledger.line('viewer_tokens', '${user.id}', 5), ledger.line('tokens_outstanding', null, -5)`,
      ),
    ).rejects.toThrow('name a lot');
    await expect(
      record(`ledger.line('viewer_tokens', '${user.id}', 51, '${lot?.id}'),
        ledger.line('tokens_outstanding', null, -51)`),
    ).rejects.toThrow('never_negative');
    await expect(
      database.asOwner(
        `with j as (select journal_id, max(line) as line from ledger.entries group by journal_id limit 1)
          insert into ledger.entries (journal_id, line, account_id, currency, amount)
            select journal_id, line + n, ledger.account_of(case n when 1 then 'bank' else 'refunds' end),
                'INR', case n when 1 then 7 else -7 end
              from j, generate_series(1, 2) n`,
      ),
    ).rejects.toThrow('all at once');
  });

  test('after all of this every invariant holds, and what is changed behind its back is found', async () => {
    expect(await verifyBooks(database.db)).toEqual([]);
    const found = async (change: string, back: string) => {
      await database.asOwner(change);
      const violations = await verifyBooks(database.db);
      await database.asOwner(back);
      return violations.map((violation) => violation.invariant);
    };
    const one = `id = (select id from ledger.lots where open order by id limit 1)`;
    expect(
      await found(
        `update ledger.lots set tokens_left = tokens_left + 1 where ${one}`,
        `update ledger.lots set tokens_left = tokens_left - 1 where ${one}`,
      ),
    ).toEqual(
      expect.arrayContaining([
        'every lot equals its entries, and is within what it held',
        'every wallet is the sum of its lots',
      ]),
    );
    expect(await verifyBooks(database.db)).toEqual([]);
  });
});
