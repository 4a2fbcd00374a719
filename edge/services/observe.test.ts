// What is written down of requests: acts on accounts and refusals, by whom, and never a secret.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newAddress, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { createApp } from '../app.ts';
import { createLog } from './log.ts';

let edge: TestEdge;
const lines: string[] = [];
let ask: (
  method: string,
  path: string,
  request?: { body?: unknown; headers?: Record<string, string> },
) => Promise<Response>;
beforeAll(async () => {
  edge = await startTestEdge();
  const log = createLog('info', { service: 'edge' }, (line) => lines.push(line));
  const app = createApp({ ...edge.parts.deps, log });
  ask = async (method, path, { body, headers = {} } = {}) =>
    app.fetch(
      new Request(`${edge.url}${path}`, {
        method,
        headers: {
          'content-type': 'application/json',
          'x-test-address': newAddress(),
          ...headers,
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      }),
      { defer: () => {}, socketAddress: '127.0.0.1', country: '' },
    );
});
afterAll(() => edge.close());

const told = () => lines.splice(0).map((line) => JSON.parse(line));

test('whoever logs in, or does not, is written down with how it ended', async () => {
  const { session } = await edge.register();
  const login = { email: session.user.email, password: 'a long enough password' };
  told();
  expect((await ask('POST', '/v1/auth/login', { body: login })).status).toBe(200);
  const wrong = { ...login, password: 'quite another one' };
  expect((await ask('POST', '/v1/auth/login', { body: wrong })).status).toBe(401);
  expect(told()).toMatchObject([
    { level: 'info', route: '/v1/auth/login', status: 200, userId: session.user.id },
    { level: 'info', route: '/v1/auth/login', status: 401, code: 'invalid-credentials' },
  ]);
});

test('so is whoever is refused what they may not do, and nobody who just reads', async () => {
  const { session } = await edge.register();
  const headers = { authorization: `Bearer ${session.accessToken}` };
  expect((await ask('GET', '/v1/wallet', { headers })).status).toBe(200);
  expect(told()).toEqual([]);
  expect((await ask('GET', '/v1/admin/trial-balance', { headers })).status).toBe(403);
  expect((await ask('GET', '/v1/wallet')).status).toBe(401);
  expect(told()).toMatchObject([
    {
      route: '/v1/admin/trial-balance',
      status: 403,
      code: 'forbidden',
      userId: session.user.id,
    },
    { route: '/v1/wallet', status: 401, code: 'unauthenticated' },
  ]);
});

test('no line holds a password, a token, a cookie or an address, and none is broken in two', async () => {
  const { session, cookie } = await edge.register();
  told();
  const password = 'a long enough password';
  await ask('POST', '/v1/auth/login', {
    body: { email: session.user.email, password },
    headers: { cookie, 'x-request-id': 'one\\ntwo"}' },
  });
  await ask('POST', '/v1/auth/refresh', { headers: { cookie } });
  await ask('POST', '/v1/auth/login', { body: { email: 'x"}\n{"level":"error', password } });
  const text = lines.join('\n');
  const cookies = cookie.split('; ').map((one) => one.slice(one.indexOf('=') + 1));
  for (const secret of [password, session.accessToken, ...cookies, '2001:db8']) {
    expect(text).not.toContain(secret);
  }
  expect(text).not.toContain(session.user.email);
  expect(told()).toHaveLength(3);
});
