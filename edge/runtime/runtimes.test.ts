// The same app on Node, Bun, Deno and workerd: one list of acts, once on each.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyBooks } from '#db';
import { edgeCommand } from '../../scripts/launch/edge-command.ts';
import { Part } from '../../scripts/launch/part.ts';
import { probeReady } from '../../scripts/launch/probe.ts';
import {
  newKey,
  nodeSecret,
  parseGrant,
  startTestEdge,
  type TestEdge,
} from '../../testing/edge.ts';
import { freePort } from '../../testing/redis.ts';
import { startWorkerd } from '../../testing/workerd.ts';

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

/** As the launcher starts it, with the launcher's own probe. */
async function startProcess(runtime: 'node' | 'bun' | 'deno'): Promise<Running> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = { ...edge.env, APP_ORIGIN: edge.url, LOG_LEVEL: 'warn' };
  const part = Part.create({
    name: `edge on ${runtime}`,
    after: [],
    address: url,
    command: async () => edgeCommand(runtime, port, env),
    probe: (signal) => probeReady(url, signal),
  });
  await part.start();
  return { url, stop: () => part.stop() };
}

const runtimes: [string, () => Promise<Running>][] = [
  ['node', () => startProcess('node')],
  ['bun', () => startProcess('bun')],
  ['deno', () => startProcess('deno')],
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
