// One story of money, told through every driver: the same results, and the same refusals.
import { neonConfig, Pool } from '@neondatabase/serverless';
import { drizzle } from 'drizzle-orm/neon-serverless';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type NeonProxy, startNeonProxy } from '../scripts/local/neon-proxy/server.ts';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import {
  approvePayout,
  captureHold,
  createUser,
  type Db,
  decideRefund,
  holdTokens,
  issueOwnInvoices,
  listInvoices,
  listWalletEntries,
  observeDispute,
  observePayment,
  observePayout,
  observeRefund,
  readBalance,
  readEarnings,
  readPayouts,
  readTrialBalance,
  releaseEarnings,
  requestPayout,
  requestRefund,
  takePayoutsToSend,
  tip,
  tipMany,
  verifyBooks,
} from './index.ts';
import { connectNeon } from './neon.ts';
import * as schema from './schema/index.ts';

let database: TestDatabase;
let proxy: NeonProxy;
let sockets: Pool;
let drivers: Record<string, Db>;

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await startNeonProxy({
    databaseUrl: database.url,
    port: 0,
    log: pino({ level: 'silent' }),
  });
  neonConfig.wsProxy = () => `127.0.0.1:${proxy.port}/v2`;
  neonConfig.useSecureWebSocket = false;
  neonConfig.pipelineConnect = false;
  sockets = new Pool({ connectionString: database.url });
  // At the end the proxy may close a socket before the pool has.
  sockets.on('error', () => {});
  drivers = {
    'node-postgres': database.db,
    'Neon over HTTP': connectNeon(database.url, {
      fetchEndpoint: `http://127.0.0.1:${proxy.port}/sql`,
    }),
    'Neon over a WebSocket': drizzle({ client: sockets, schema }),
  };
});
afterAll(async () => {
  await sockets.end();
  await proxy.close();
  await database.close();
});

/** What is another one each time is told by its kind alone. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (name, inner) => {
    if (typeof inner !== 'string')
      return name === 'eventId' || name === 'id' ? typeof inner : inner;
    return inner
      .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'uuid')
      .replace(/[a-z]+_[0-9a-f]{18,32}/g, 'name')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'moment')
      .replace(/^(LP|CN)\/.*$/, '$1');
  });
}

/** Everything that a story's acts answered. */
async function storyThrough(db: Db): Promise<unknown[]> {
  const cast = createMoneyCast({ ...database, db });
  const told: unknown[] = [];
  const tell = async (act: Promise<unknown>) => {
    told.push(plain((await act) ?? null));
  };
  const tellRefusal = async (act: Promise<unknown>) => {
    const { code, details } = await refusalOf(act);
    told.push(plain({ code, details }));
  };

  const viewer = await cast.person();
  const staff = await cast.person('admin');
  const { performer, streamId } = await cast.liveStream();
  const order = await cast.orderOf(viewer.id, 1);
  const payment = {
    gatewayPaymentId: cast.unique('pay'),
    gatewayOrderId: order.gatewayOrderId ?? '',
    amountPaise: order.amountPaise,
    currency: 'INR',
    status: 'captured' as const,
    feePaise: 271,
    feeTaxPaise: 41,
  };
  await tellRefusal(observePayment(db, { ...payment, amountPaise: 1 }));
  const captures = await Promise.all(Array.from({ length: 4 }, () => observePayment(db, payment)));
  told.push(captures.filter(({ credited }) => credited).length);

  const request = (amountTokens: number, idempotencyKey: string) => ({
    viewerId: viewer.id,
    streamId,
    amountTokens,
    message: 'नमस्ते “well played” \\ $1',
    anonymous: false,
    idempotencyKey,
  });
  await tell(tip(db, request(10, 'first')));
  await tell(tip(db, request(10, 'first')));
  await tellRefusal(tip(db, request(11, 'first')));
  await tellRefusal(tip(db, request(91, 'too-much')));
  await tellRefusal(tip(db, { ...request(1, 'self'), viewerId: performer.id }));
  const many = await tipMany(db, [request(5, 'many'), request(5, 'many'), request(1_000, 'much')]);
  told.push(plain(many.map((answer) => ('code' in answer ? { code: answer.code } : answer))));
  const same = await Promise.all(Array.from({ length: 8 }, () => tip(db, request(1, 'at-once'))));
  told.push(same.filter(({ replayed }) => !replayed).length);

  const held = await holdTokens(db, {
    viewerId: viewer.id,
    performerId: performer.id,
    streamId,
    tokens: 20,
    expiresAt: new Date(Date.now() + 3_600_000),
    idempotencyKey: 'hold',
  });
  await tell(captureHold(db, held.reservationId, 15));
  await tellRefusal(captureHold(db, held.reservationId, 14));

  const refund = await requestRefund(db, {
    by: viewer.id,
    gatewayPaymentId: payment.gatewayPaymentId,
    tokens: 20,
    reason: 'too many',
    idempotencyKey: 'refund',
  });
  told.push(plain(refund));
  await tellRefusal(decideRefund(db, { refundId: refund.id, staffId: viewer.id, approve: true }));
  await tell(decideRefund(db, { refundId: refund.id, staffId: staff.id, approve: true }));
  await tell(
    observeRefund(db, {
      refundId: refund.id,
      gatewayRefundId: cast.unique('rfnd'),
      gatewayPaymentId: payment.gatewayPaymentId,
      amountPaise: refund.amountPaise,
      status: 'processed',
    }),
  );
  await tell(issueOwnInvoices(db, viewer.id, 10));
  await tell(listInvoices(db, viewer.id, { limit: 10 }));

  await cast.ageEarnings();
  await releaseEarnings(db);
  await tellRefusal(
    requestPayout(db, { performerId: performer.id, amountPaise: 1_000, idempotencyKey: 'out' }),
  );
  await cast.verifiedAccount(performer.id);
  const payout = await requestPayout(db, {
    performerId: performer.id,
    amountPaise: 1_500,
    idempotencyKey: 'out',
  });
  told.push(plain(payout));
  await tell(approvePayout(db, payout.id, staff.id));
  await takePayoutsToSend(db, 100);
  await tell(
    observePayout(db, {
      payoutId: payout.id,
      gatewayPayoutId: cast.unique('pout'),
      amountPaise: payout.netPaise,
      status: 'paid',
      feePaise: 590,
      feeTaxPaise: 90,
    }),
  );
  await tell(
    observeDispute(db, {
      gatewayDisputeId: cast.unique('disp'),
      gatewayPaymentId: payment.gatewayPaymentId,
      amountPaise: 1_150,
      phase: 'chargeback',
      reasonCode: 'fraud',
      status: 'lost',
      respondBy: null,
    }),
  );
  await tell(readEarnings(db, performer.id));
  await tell(readPayouts(db, performer.id, 10));
  await tell(listWalletEntries(db, viewer.id, { limit: 50 }));
  await tell(readBalance(db, viewer.id));
  // A refusal that comes from a constraint, and not from an act.
  const { email, username, country } = viewer;
  const taken = { email, username, country, passwordHash: 'x', dateOfBirth: '1990-01-01' };
  await tellRefusal(createUser(db, taken));
  return told;
}

test('a story is told alike through node-postgres, Neon over HTTP, and Neon over a WebSocket', async () => {
  await createMoneyCast(database).setRule('payout_min_paise', 100);
  await createMoneyCast(database).setRule('payout_auto_max_paise', 0);
  const stories: unknown[][] = [];
  for (const db of Object.values(drivers)) stories.push(await storyThrough(db));
  const [first, ...others] = stories;
  expect(first?.length).toBeGreaterThan(25);
  for (const story of others) expect(story).toEqual(first);
}, 60_000);

test('all of them see the same books, and every invariant holds', async () => {
  const [first, ...others] = await Promise.all(
    Object.values(drivers).map(async (db) => ({
      violations: await verifyBooks(db),
      balance: await readTrialBalance(db),
    })),
  );
  expect(first?.violations).toEqual([]);
  for (const books of others) expect(books).toEqual(first);
});
