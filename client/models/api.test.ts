import { expect, test } from 'vitest';
import { createApi, type Fetch, type Prover, type TokenSource } from './api.ts';
import { ApiError, isTransient } from './api-error.ts';

type Call = { url: string; init: RequestInit };

function createFetch(...answers: (Response | Error)[]): { fetch: Fetch; calls: Call[] } {
  const calls: Call[] = [];
  return {
    calls,
    async fetch(url, init) {
      calls.push({ url, init });
      const answer = answers.shift();
      if (!answer) throw new Error('no answer was prepared');
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
}

const problem = (code: string, status: number) =>
  Response.json({ type: 'about:blank', code, title: code, status }, { status });

const tokens = (...all: (string | null)[]): TokenSource & { renewals: string[] } => {
  const renewals: string[] = [];
  return {
    renewals,
    current: async () => all[0] ?? null,
    async renew(stale) {
      renewals.push(stale);
      return all[1] ?? null;
    },
  };
};

/** Nobody shows a second factor here. */
const unproven: Prover = () => async () => false;

const header = (call: Call | undefined, name: string) => new Headers(call?.init.headers).get(name);

test('a refused token is renewed once and the request is repeated with the new one', async () => {
  const source = tokens('old', 'new');
  const { fetch, calls } = createFetch(
    problem('unauthenticated', 401),
    Response.json({ balanceTokens: 7 }),
  );
  const api = createApi(fetch, source, unproven);
  expect(await api.wallet.read()).toEqual({ balanceTokens: 7 });
  expect(source.renewals).toEqual(['old']);
  expect(calls.map((call) => header(call, 'authorization'))).toEqual(['Bearer old', 'Bearer new']);
});

test('a request that is refused twice is not repeated for ever', async () => {
  const { fetch, calls } = createFetch(
    problem('unauthenticated', 401),
    problem('unauthenticated', 401),
  );
  const api = createApi(fetch, tokens('old', 'new'), unproven);
  await expect(api.wallet.read()).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(calls).toHaveLength(2);
});

test('a guest who is refused is not sent through a renewal', async () => {
  const source = tokens(null);
  const api = createApi(createFetch(problem('unauthenticated', 401)).fetch, source, unproven);
  await expect(api.wallet.read()).rejects.toMatchObject({ status: 401 });
  expect(source.renewals).toEqual([]);
});

test('the repeated request carries the same idempotency key', async () => {
  const { fetch, calls } = createFetch(problem('unauthenticated', 401), Response.json({}));
  const api = createApi(fetch, tokens('old', 'new'), unproven);
  const body = { streamId: 's', amountTokens: 5, message: '', anonymous: false };
  await api.tips.send(body, 'key-12345678');
  expect(calls.map((call) => header(call, 'idempotency-key'))).toEqual([
    'key-12345678',
    'key-12345678',
  ]);
});

test('a refusal carries the code of its problem, a lost connection says so', async () => {
  const { fetch } = createFetch(problem('insufficient-balance', 409), new TypeError('failed'));
  const api = createApi(fetch, tokens(null), unproven);
  const refused = await api.wallet.read().catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'insufficient-balance', status: 409 });
  expect(isTransient(refused)).toBe(false);
  const lost = await api.wallet.read().catch((error: unknown) => error);
  expect(lost).toBeInstanceOf(ApiError);
  expect(lost).toMatchObject({ code: 'network' });
  expect(isTransient(lost)).toBe(true);
});

test('where the edge wants a second factor first, the same request is sent again with the new token, once', async () => {
  const { fetch, calls } = createFetch(
    problem('step-up-needed', 403),
    Response.json({}),
    problem('step-up-needed', 403),
    problem('step-up-needed', 403),
  );
  let token = 'before';
  const source: TokenSource = { current: async () => token, renew: async () => null };
  const asked: string[] = [];
  const prover: Prover = (method) => async () => {
    asked.push(method);
    token = 'proven';
    return true;
  };
  const api = createApi(fetch, source, prover);
  const body = { streamId: 's', amountTokens: 5, message: '', anonymous: false };
  await api.tips.send(body, 'key-12345678');
  expect(asked).toEqual(['POST']);
  expect(calls.map((call) => header(call, 'authorization'))).toEqual([
    'Bearer before',
    'Bearer proven',
  ]);
  expect(calls.map((call) => header(call, 'idempotency-key'))).toEqual([
    'key-12345678',
    'key-12345678',
  ]);
  expect(calls[1]?.init.body).toBe(calls[0]?.init.body);
  expect(JSON.parse(String(calls[1]?.init.body))).toEqual(body);

  await expect(api.trialBalance()).rejects.toMatchObject({ code: 'step-up-needed' });
  expect(calls).toHaveLength(4);
});

test('whoever declines gets the refusal, and nothing is sent again', async () => {
  const { fetch, calls } = createFetch(problem('step-up-needed', 403));
  const api = createApi(fetch, tokens('token'), unproven);
  await expect(api.trialBalance()).rejects.toMatchObject({ code: 'step-up-needed', status: 403 });
  expect(calls).toHaveLength(1);
});
