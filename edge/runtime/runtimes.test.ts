// The same app on Node, Bun, Deno and workerd: one list of acts, once on each.
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyBooks } from '#db';
import {
  newKey,
  nodeSecret,
  parseGrant,
  startTestEdge,
  type TestEdge,
} from '../../testing/edge.ts';
import { freePort } from '../../testing/redis.ts';
import { startWorkerd } from '../../testing/workerd.ts';

const require = createRequire(import.meta.url);
const startTimeoutMs = 30_000;

let edge: TestEdge;
beforeAll(async () => {
  edge = await startTestEdge();
});
afterAll(async () => {
  await edge.close();
});

interface Running {
  url: string;
  stop(): Promise<void>;
}

/** The binary that an npm package brings, in one of its packages by platform. */
function packagedBinary(name: 'bun' | 'deno'): string {
  const platforms = {
    bun: [
      `@oven/bun-${process.platform}-${process.arch}/bin/bun`,
      // Where the package's own install step has run, the binary was moved.
      'bun/bin/bun.exe',
    ],
    deno: [
      `@deno/${process.platform}-${process.arch}-glibc/deno`,
      `@deno/${process.platform}-${process.arch}/deno`,
    ],
  };
  for (const candidate of platforms[name]) {
    try {
      return require.resolve(candidate);
    } catch {
      // Another name on this platform.
    }
  }
  throw new Error(`the package ${name} has no binary for this platform`);
}

async function startProcess(command: string, args: string[], appOrigin: string): Promise<Running> {
  const port = await freePort();
  const child: ChildProcess = spawn(command, args, {
    env: {
      ...process.env,
      ...edge.env,
      APP_ORIGIN: appOrigin,
      EDGE_PORT: String(port),
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url, () => child.exitCode !== null);
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function untilReady(url: string, hasEnded: () => boolean): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const ready = await fetch(`${url}/readyz`).catch(() => null);
    if (ready?.ok) return;
    if (hasEnded() || Date.now() > deadline) throw new Error(`no edge at ${url}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const runtimes: [string, () => Promise<Running>][] = [
  ['node', () => startProcess(process.execPath, ['edge/runtime/node.ts'], edge.url)],
  ['bun', () => startProcess(packagedBinary('bun'), ['edge/runtime/bun.ts'], edge.url)],
  [
    'deno',
    () => startProcess(packagedBinary('deno'), ['run', '-A', 'edge/runtime/deno.ts'], edge.url),
  ],
  ['workerd', () => startWorkerd(edge)],
];

describe.each(runtimes)('on %s', (name, start) => {
  let running: Running;
  beforeAll(async () => {
    running = await start();
  });
  afterAll(async () => {
    await running?.stop();
  });

  async function call(method: string, path: string, token?: string, body?: unknown) {
    const response = await fetch(`${running.url}${path}`, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
        'idempotency-key': newKey(),
        'x-test-address': newKey(),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text ? JSON.parse(text) : null,
    };
  }

  test('register, log in, renew, buy, tip and take a ticket', async () => {
    const { streamId } = await edge.goLive();
    const username = `${name}_${newKey().slice(0, 8)}`;
    const credentials = { email: `${username}@example.com`, password: 'a long enough password' };
    const registered = await call('POST', '/v1/auth/register', undefined, {
      ...credentials,
      username,
      dateOfBirth: '1990-01-01',
      country: 'IN',
    });
    expect(registered.status, JSON.stringify(registered.body)).toBe(201);
    const session = await call('POST', '/v1/auth/login', undefined, credentials);
    expect(session.status).toBe(200);
    const cookie = (session.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const renewed = await fetch(`${running.url}/v1/auth/refresh`, {
      method: 'POST',
      headers: { cookie },
    });
    expect(renewed.status).toBe(200);
    const token = session.body.accessToken;

    const offer = await call('GET', '/v1/payments/packages');
    const order = await call('POST', '/v1/payments/orders', token, {
      packageId: offer.body.packages[0].id,
    });
    expect(order.status, JSON.stringify(order.body)).toBe(201);
    const paid = await edge.controlSandbox('POST', `/orders/${order.body.gatewayOrderId}/pay`, {});
    const verified = await call('POST', '/v1/payments/verify', token, {
      gatewayOrderId: paid.body.receipt.razorpay_order_id,
      gatewayPaymentId: paid.body.receipt.razorpay_payment_id,
      signature: paid.body.receipt.razorpay_signature,
    });
    expect(verified.body.balanceTokens).toBe(offer.body.packages[0].tokens);

    const tip = await call('POST', '/v1/tips', token, { streamId, amountTokens: 7 });
    expect(tip.status, JSON.stringify(tip.body)).toBe(201);
    expect(tip.body.balanceTokens).toBe(offer.body.packages[0].tokens - 7);
    const refused = await call('POST', '/v1/tips', token, { streamId, amountTokens: 9_999 });
    expect([refused.status, refused.body.code]).toEqual([409, 'insufficient-balance']);

    const ticket = await call('POST', `/v1/streams/${streamId}/tickets`, token, {
      intent: 'watch',
    });
    expect(parseGrant({ ...ticket }).room.ticket.split('.')).toHaveLength(3);
    const reported = await fetch(`${running.url}/internal/counters`, {
      headers: { authorization: `Bearer ${nodeSecret}` },
    });
    expect(reported.status).toBe(200);
    expect(await verifyBooks(edge.database.db)).toEqual([]);
  });
});
