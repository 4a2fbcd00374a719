// Many orders at once: each request costs the same, however much has happened before.
import { expect, test } from 'vitest';
import { startTestSandbox } from './test-sandbox.ts';

const ordersCount = 5_000;
const concurrency = 16;

test('5,000 paid orders with one to five deliveries of each event are told completely', async () => {
  const t = await startTestSandbox();
  await t.control.setFaults({ webhooks: { extraCopies: 4, shuffleMs: 50 }, seed: 1 });
  const payments: string[] = [];
  let next = 0;
  async function work(): Promise<void> {
    while (next < ordersCount) {
      next += 1;
      payments.push((await t.newPayment()).id);
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work));
  await t.control.settled(240_000);

  const copies = new Map<string, number>();
  for (const { eventId } of t.receiver.received) {
    copies.set(eventId, (copies.get(eventId) ?? 0) + 1);
  }
  expect(copies.size).toBe(3 * ordersCount);
  expect(Math.max(...copies.values())).toBe(5);
  expect(new Set(payments).size).toBe(ordersCount);
  // The last is found as fast as the first.
  expect(await t.control.events(payments.at(-1))).toHaveLength(3);
  expect(await t.control.events(payments[0])).toHaveLength(3);
  const { settlement, items } = await t.control.settle();
  expect(items).toHaveLength(ordersCount);
  expect(settlement.amount).toBe(ordersCount * 57_608);
  await t.close();
}, 400_000);
