import { expect, test } from 'vitest';
import { ApiError } from './api-error.ts';
import { createMoneyApi } from './money-api.ts';

type Call = { url: string; init: RequestInit };

function createScene(answer: Response) {
  const calls: Call[] = [];
  const money = createMoneyApi(async (url, init) => {
    calls.push({ url, init });
    return answer;
  });
  return { money, calls };
}

test('a statement is asked for with its filters and nothing else', async () => {
  const { money, calls } = createScene(Response.json({ transactions: [], nextCursor: null }));
  await money.transactions({ kind: 'tip', from: '2026-04-01' }, 'cursor-1');
  expect(calls[0]?.url).toBe('/v1/wallet/transactions?kind=tip&from=2026-04-01&cursor=cursor-1');
});

test('an answer that does not fit its schema is no answer', async () => {
  const { money } = createScene(Response.json({ state: 'paid' }));
  const error = await money.orderStatus('o1').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ code: 'internal' });
});

test('a file comes with the name that the edge gives it', async () => {
  const { money, calls } = createScene(
    new Response('a,b\n', {
      headers: {
        'content-type': 'text/csv',
        'content-disposition': 'attachment; filename="livepanty-statement.csv"',
      },
    }),
  );
  const file = await money.statement({ to: '2026-04-30' }, 'csv');
  expect(file.name).toBe('livepanty-statement.csv');
  expect(await file.content.text()).toBe('a,b\n');
  expect(calls[0]?.url).toBe('/v1/wallet/statement?to=2026-04-30&format=csv');
  expect(new Headers(calls[0]?.init.headers).get('accept')).toBe('text/csv');
});

test('acts about money carry their key, and a payment’s name cannot leave its place', async () => {
  const { money, calls } = createScene(
    Response.json({
      id: '0b0e7a52-6f0f-4b0e-9d2a-0a1b2c3d4e5f',
      gatewayPaymentId: 'pay_1',
      tokens: 10,
      amountPaise: 1_090,
      state: 'requested',
      reason: 'By mistake',
      createdAt: '2026-04-01T00:00:00Z',
    }),
  );
  await money.requestRefund('pay/../1', { reason: 'By mistake' }, 'key-1234');
  expect(calls[0]?.url).toBe('/v1/payments/pay%2F..%2F1/refunds');
  expect(calls[0]?.init.method).toBe('POST');
  expect(new Headers(calls[0]?.init.headers).get('idempotency-key')).toBe('key-1234');
});
