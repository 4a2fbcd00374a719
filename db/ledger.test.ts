// The ledger's guarantees, on a real PostgreSQL and with the rights that the services have.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import {
  createOrder,
  createStream,
  createUser,
  listPackages,
  listRoomEvents,
  listWalletEntries,
  purchaseCaptured,
  Refusal,
  readBalance,
  readEarnings,
  setGatewayOrder,
  tip,
  transitionStream,
  verifyBooks,
} from './index.ts';

let database: TestDatabase;
let counter = 0;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.close();
});

async function person(role: 'viewer' | 'performer' = 'viewer') {
  counter += 1;
  const user = await createUser(database.db, {
    email: `person${counter}@example.com`,
    username: `Person${counter}`,
    passwordHash: 'x',
    dateOfBirth: '1990-01-01',
    country: 'IN',
  });
  if (role === 'performer') {
    await database.asOwner('update users set role = $2 where id = $1', [user.id, role]);
  }
  return user;
}

async function orderOf(userId: string, packageIndex = 0) {
  const chosen = (await listPackages(database.db))[packageIndex];
  if (!chosen) throw new Error('no package is on sale');
  counter += 1;
  const order = await createOrder(database.db, {
    userId,
    packageId: chosen.id,
    idempotencyKey: `order-key-${counter}`,
  });
  return setGatewayOrder(database.db, order.id, `order_${counter}`);
}

/** A viewer with the tokens of one package. */
async function buyer(packageIndex = 0) {
  const user = await person();
  const order = await orderOf(user.id, packageIndex);
  await purchaseCaptured(database.db, {
    gatewayOrderId: order.gatewayOrderId ?? '',
    gatewayPaymentId: `pay_${order.id}`,
    amountPaise: order.amountPaise,
  });
  return { user, order };
}

async function liveStream() {
  const performer = await person('performer');
  counter += 1;
  const streamId = await createStream(database.db, {
    performerId: performer.id,
    title: 'A stream',
    category: 'music',
    idempotencyKey: `stream-key-${counter}`,
  });
  await transitionStream(database.db, streamId, 'starting');
  await transitionStream(database.db, streamId, 'live');
  return { performer, streamId };
}

function tipOf(viewerId: string, streamId: string, amountTokens: number, key: string) {
  return tip(database.db, {
    viewerId,
    streamId,
    amountTokens,
    message: 'well played',
    anonymous: false,
    idempotencyKey: key,
  });
}

async function refusalOf(promise: Promise<unknown>): Promise<Refusal> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Refusal)) throw new Error(`expected a refusal, got ${String(error)}`);
  return error;
}

describe('purchases', () => {
  test('a captured payment credits its tokens once, however often it is told', async () => {
    const user = await person();
    const order = await orderOf(user.id);
    const payment = {
      gatewayOrderId: order.gatewayOrderId ?? '',
      gatewayPaymentId: 'pay_repeated',
      amountPaise: order.amountPaise,
    };
    const results = await Promise.all(
      Array.from({ length: 12 }, () => purchaseCaptured(database.db, payment)),
    );
    expect(results.filter((result) => !result.replayed)).toHaveLength(1);
    expect(await readBalance(database.db, user.id)).toBe(order.tokens);
  });

  test('a payment of another amount than ordered is refused and credits nothing', async () => {
    const user = await person();
    const order = await orderOf(user.id);
    const refusal = await refusalOf(
      purchaseCaptured(database.db, {
        gatewayOrderId: order.gatewayOrderId ?? '',
        gatewayPaymentId: 'pay_short',
        amountPaise: order.amountPaise - 1,
      }),
    );
    expect(refusal.code).toBe('payment-mismatch');
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
    const { user, order } = await buyer();
    const { performer, streamId } = await liveStream();
    const receipt = await tipOf(user.id, streamId, 20, 'tip-key-one');
    expect(receipt).toMatchObject({ balanceTokens: order.tokens - 20, replayed: false });
    const earnings = await readEarnings(database.db, performer.id);
    expect(earnings).toMatchObject({ payablePaise: 20 * 50, tokensReceived: 20, tips: 1 });
    const { events } = await listRoomEvents(database.db, streamId, null);
    expect(events.at(-1)).toMatchObject({ type: 'tip.received', id: receipt.eventId });
    const history = await listWalletEntries(database.db, user.id, { limit: 10 });
    expect(history.map((row) => [row.kind, row.amountTokens, row.subject])).toEqual([
      ['tip', -20, performer.username],
      ['purchase', order.tokens, 'Taster'],
    ]);
  });

  test('the same key is carried out once, and answered alike, also when sent at the same time', async () => {
    const { user, order } = await buyer();
    const { streamId } = await liveStream();
    const results = await Promise.all(
      Array.from({ length: 10 }, () => tipOf(user.id, streamId, 5, 'tip-key-same')),
    );
    expect(new Set(results.map((result) => result.tipId)).size).toBe(1);
    expect(results.filter((result) => !result.replayed)).toHaveLength(1);
    expect(await readBalance(database.db, user.id)).toBe(order.tokens - 5);
  });

  test('the same key for another tip is refused', async () => {
    const { user } = await buyer();
    const { streamId } = await liveStream();
    await tipOf(user.id, streamId, 5, 'tip-key-reused');
    const refusal = await refusalOf(tipOf(user.id, streamId, 6, 'tip-key-reused'));
    expect(refusal.code).toBe('idempotency-key-reused');
  });

  test('of more tips than the balance holds, exactly those that fit succeed', async () => {
    const { user, order } = await buyer();
    const { streamId } = await liveStream();
    const results = await Promise.allSettled(
      Array.from({ length: 80 }, (_, index) =>
        tipOf(user.id, streamId, 1, `tip-key-race-${index}`),
      ),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(order.tokens);
    expect(await readBalance(database.db, user.id)).toBe(0);
  });

  test('too small a balance, oneself, a stream that is not live, an unknown stream: each has its refusal', async () => {
    const { user, order } = await buyer();
    const poor = await person();
    const { performer, streamId } = await liveStream();
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
    const { user } = await buyer(0);
    const second = await orderOf(user.id, 5);
    await purchaseCaptured(database.db, {
      gatewayOrderId: second.gatewayOrderId ?? '',
      gatewayPaymentId: `pay_${second.id}`,
      amountPaise: second.amountPaise,
    });
    const { streamId } = await liveStream();
    let left = await readBalance(database.db, user.id);
    for (let amount = 7; left > 0; amount += 311) {
      const spent = Math.min(amount, left);
      left = (await tipOf(user.id, streamId, spent, `tip-key-mix-${amount}`)).balanceTokens;
    }
    const [prepaid] = await database.asOwner<{ balance: string }>(
      `select b.balance from ledger.balances b join ledger.accounts a on a.id = b.account_id
        where a.class = 'viewer_prepaid' and a.owner_id = $1`,
      [user.id],
    );
    expect(Number(prepaid?.balance)).toBe(0);
  });
});

describe('the books', () => {
  test('the services cannot write, change or remove an entry, and nobody can change one', async () => {
    const { user } = await buyer();
    const attempts = [
      `insert into ledger.entries (journal_id, account_id, currency, amount)
        select journal_id, account_id, currency, amount from ledger.entries`,
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

  test('entries that do not sum to zero are refused, even from the owner', async () => {
    await expect(
      database.asOwner(
        `with j as (
            insert into ledger.journal (kind, idempotency_key, fingerprint, result)
              values ('tip', 'unbalanced', '', '{}') returning id)
          select ledger.post(j.id, array[
            ledger.account_of('platform_revenue'), ledger.account_of('gst_payable')],
            array[5, -4]::bigint[]) from j`,
      ),
    ).rejects.toThrow('sum to zero');
  });

  test('after all of this every invariant holds, and a balance changed behind its back is found', async () => {
    expect(await verifyBooks(database.db)).toEqual([]);
    await database.asOwner(
      `update ledger.balances set balance = balance + 1
        where account_id = (select account_id from ledger.balances order by account_id limit 1)`,
    );
    const violations = await verifyBooks(database.db);
    expect(violations.map((violation) => violation.invariant)).toEqual([
      'every guarded balance equals its entries',
    ]);
    await database.asOwner(
      `update ledger.balances set balance = balance - 1
        where account_id = (select account_id from ledger.balances order by account_id limit 1)`,
    );
  });
});
