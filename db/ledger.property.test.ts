// Whatever people do in whatever order, wallets hold what a simple model says, and the books balance.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import {
  createOrder,
  createStream,
  createUser,
  listPackages,
  purchaseCaptured,
  Refusal,
  readBalance,
  readEarnings,
  setGatewayOrder,
  tip,
  transitionStream,
  verifyBooks,
} from './index.ts';

const viewersMax = 3;
const historiesMax = 25;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.close();
});

const act = fc.oneof(
  fc.record({
    kind: fc.constant('buy' as const),
    viewer: fc.nat(viewersMax - 1),
    package: fc.nat(5),
    deliveries: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({
    kind: fc.constant('tip' as const),
    viewer: fc.nat(viewersMax - 1),
    amountTokens: fc.integer({ min: 1, max: 400 }),
    sends: fc.integer({ min: 1, max: 3 }),
  }),
);

let counter = 0;
const unique = () => {
  counter += 1;
  return `property-${counter}`;
};

async function person(): Promise<string> {
  const name = unique();
  const user = await createUser(database.db, {
    email: `${name}@example.com`,
    username: name.replace('-', ''),
    passwordHash: 'x',
    dateOfBirth: '1990-01-01',
    country: 'IN',
  });
  return user.id;
}

async function liveStream(): Promise<{ performerId: string; streamId: string }> {
  const performerId = await person();
  const streamId = await createStream(database.db, {
    performerId,
    title: 'Any',
    category: 'music',
    idempotencyKey: unique(),
  });
  await transitionStream(database.db, streamId, 'starting');
  await transitionStream(database.db, streamId, 'live');
  return { performerId, streamId };
}

test('random histories of purchases and tips, with repeats, end where the model ends', async () => {
  const packages = await listPackages(database.db);
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 15 }), async (acts) => {
      const { performerId, streamId } = await liveStream();
      const viewers = await Promise.all(Array.from({ length: viewersMax }, person));
      const model = viewers.map(() => 0);
      let tippedTokens = 0;
      for (const step of acts) {
        const userId = viewers[step.viewer] ?? '';
        const held = model[step.viewer] ?? 0;
        if (step.kind === 'buy') {
          const chosen = packages[step.package];
          if (!chosen) throw new Error('no such package');
          const made = await createOrder(database.db, {
            userId,
            packageId: chosen.id,
            idempotencyKey: unique(),
          });
          const order = await setGatewayOrder(database.db, made.id, unique());
          const payment = {
            gatewayOrderId: order.gatewayOrderId ?? '',
            gatewayPaymentId: unique(),
            amountPaise: order.amountPaise,
          };
          await Promise.all(
            Array.from({ length: step.deliveries }, () => purchaseCaptured(database.db, payment)),
          );
          model[step.viewer] = held + chosen.tokens;
        } else {
          const request = {
            viewerId: userId,
            streamId,
            amountTokens: step.amountTokens,
            message: '',
            anonymous: false,
            idempotencyKey: unique(),
          };
          const outcomes = await Promise.allSettled(
            Array.from({ length: step.sends }, () => tip(database.db, request)),
          );
          const fits = step.amountTokens <= held;
          for (const outcome of outcomes) {
            if (fits) expect(outcome.status).toBe('fulfilled');
            else if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Refusal);
            else throw new Error('a tip beyond the balance was taken');
          }
          if (fits) {
            model[step.viewer] = held - step.amountTokens;
            tippedTokens += step.amountTokens;
          }
        }
      }
      const balances = await Promise.all(viewers.map((id) => readBalance(database.db, id)));
      expect(balances).toEqual(model);
      const earnings = await readEarnings(database.db, performerId);
      expect(earnings).toMatchObject({
        tokensReceived: tippedTokens,
        payablePaise: tippedTokens * 50,
      });
    }),
    { numRuns: historiesMax },
  );
  expect(await verifyBooks(database.db)).toEqual([]);
});
