// A payout's idempotency key: paid once by it, whatever happens on the way.
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../test-sandbox.ts';

const daySeconds = 24 * 60 * 60;

let t: TestSandbox;
let fundAccountId: string;
beforeEach(async () => {
  t = await startTestSandbox();
  fundAccountId = (await t.newFundAccount()).id;
});
afterEach(() => t.close());

test('the key is mandatory', async () => {
  const { status, json } = await t.rest('POST', '/payouts', {});
  expect(status).toBe(400);
  expect(json.error).toMatchObject({
    description: 'Idempotency key is missing. Include idempotency header and key in the request.',
    field: 'X-Payout-Idempotency',
  });
  expect((await t.payOut(fundAccountId, {}, 'a/b')).status).toBe(400);
});

test('a key pays once however often and at once it is sent, and answers the state of now', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => t.payOut(fundAccountId, {}, 'key-many')),
  );
  expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
  await t.control.settled();
  expect((await t.payOut(fundAccountId, {}, 'key-many')).json.status).toBe('processed');
  expect(await t.control.transfers()).toHaveLength(1);
});

test('a key refuses another body, even of a payout that failed', async () => {
  await t.control.setFaults({ payouts: { failRate: 1 } });
  const first = await t.payOut(fundAccountId, {}, 'key-failed');
  await t.control.settled();
  const same = await t.payOut(fundAccountId, {}, 'key-failed');
  expect(same.json).toMatchObject({ id: first.json.id, status: 'failed' });
  const other = await t.payOut(fundAccountId, { amount: 100_001 }, 'key-failed');
  expect(other.status).toBe(400);
  expect(other.json.error.description).toBe(
    'Different request body sent for the same Idempotency Header',
  );
  expect(await t.control.transfers()).toEqual([]);
});

test('a key is forgotten after seven days: whoever repeats it then pays twice', async () => {
  await t.payOut(fundAccountId, {}, 'key-old');
  await t.control.moveClock(7 * daySeconds - 60);
  await t.payOut(fundAccountId, {}, 'key-old');
  await t.control.settled();
  expect(await t.control.transfers({ reference_id: 'key-old' })).toHaveLength(1);
  await t.control.moveClock(7 * daySeconds + 60);
  await t.payOut(fundAccountId, {}, 'key-old');
  await t.control.settled();
  expect(await t.control.transfers({ reference_id: 'key-old' })).toHaveLength(2);
});

test('a key pays once through answers that are cut, hang or are errors', async () => {
  for (const fault of ['cut-before', 'cut-after', 'error-before', 'error-after', 'hang'] as const) {
    const key = randomUUID();
    await t.control.setFaults({ answers: { rules: [{ fault, path: '/v1/payouts', times: 2 }] } });
    const attempt = () =>
      t.payOut(fundAccountId, {}, key, AbortSignal.timeout(200)).then(
        ({ status }) => status,
        () => null,
      );
    const lost = fault.startsWith('error') ? 502 : null;
    expect(await attempt(), fault).toBe(lost);
    expect(await attempt(), fault).toBe(lost);
    expect(await attempt(), fault).toBe(200);
    await t.control.settled();
    expect(await t.control.transfers({ reference_id: key }), fault).toHaveLength(1);
  }
});
