// The same app on Node, Bun, Deno and workerd: every route once, and longer acts, on each.
import { createHmac } from 'node:crypto';
import { extractText, getDocumentProxy } from 'unpdf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyBooks } from '#db';
import { edgeCommand } from '../../scripts/launch/edge-command.ts';
import { freePort } from '../../scripts/launch/free-port.ts';
import { Part } from '../../scripts/launch/part.ts';
import { probeReady } from '../../scripts/launch/probe.ts';
import { type ApiCheck, createApiCheck } from '../../testing/api-check.ts';
import {
  bytesOf,
  cookiesOf,
  newAddress,
  newKey,
  nodeSecret,
  parseGrant,
  startTestEdge,
  type TestEdge,
} from '../../testing/edge.ts';
import { startWorkerd } from '../../testing/workerd.ts';
import { signCheckpoint } from '../jobs/chain.ts';
import { jobs } from '../jobs/index.ts';
import { loginMail } from '../services/mail-texts.ts';
import { statementPageRows } from '../services/statement.ts';
import { type Cast, createCast } from '../testing/cast.ts';
import { acts, createStage } from '../testing/every-route/index.ts';
import { listNode } from '../testing/nodes.ts';

const turnUrl = 'turn:127.0.0.1:3478?transport=udp';
const turnSecret = 'test-turn-secret-of-at-least-32-characters';

let edge: TestEdge;
let cast: Cast;
let apiCheck: ApiCheck;
let unlistNode: () => Promise<void>;
beforeAll(async () => {
  edge = await startTestEdge({ TURN_URLS: turnUrl, TURN_SECRET: turnSecret });
  cast = createCast(edge);
  apiCheck = createApiCheck((await edge.call('GET', '/openapi.json')).body);
  // On a busy machine the first test takes longer than a node of which nothing is heard is taken to live.
  unlistNode = await listNode(edge, 'sfu-runtimes');
});
afterAll(async () => {
  await unlistNode();
  await edge.close();
});

interface Running {
  url: string;
  /** Where a cron trigger runs the jobs. */
  cron?(): Promise<void>;
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

  /** What is answered must be as documented, on every runtime. */
  async function send(
    method: string,
    path: string,
    { body, headers }: { body?: unknown; headers: Record<string, string> },
  ) {
    const response = await fetch(`${running.url}${path}`, {
      method,
      headers: { ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(body ? { body: bytesOf(body) } : {}),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const text = new TextDecoder().decode(bytes);
    const isJson = response.headers.get('content-type')?.includes('json');
    const answer = {
      status: response.status,
      headers: response.headers,
      bytes,
      body: isJson && text ? JSON.parse(text) : text,
    };
    if (path.startsWith('/v1/')) apiCheck.check(method, path, answer);
    return answer;
  }

  function call(method: string, path: string, token?: string, body?: unknown) {
    const address = newAddress();
    const headers = {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      'idempotency-key': newKey(),
      'x-test-address': address,
      'cf-connecting-ip': address,
    };
    return send(method, path, { body, headers });
  }

  /** Somebody without a password, whom the edge knows by their token. */
  async function member(role: 'viewer' | 'performer' | 'admin' = 'viewer') {
    return cast.member(role);
  }

  test('register, confirm, choose a new password, log in, renew, buy, tip and take a ticket', async () => {
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
    const { email } = credentials;
    const follow = async (kind: 'verify' | 'reset', path: string, more: object = {}) => {
      const { hash } = await edge.mailbox.linkFor(email, kind);
      const { accessToken } = registered.body;
      return call('POST', path, accessToken, { token: hash.slice(1), ...more });
    };
    expect((await follow('verify', '/v1/auth/email/verification')).status).toBe(204);
    expect((await call('POST', '/v1/auth/password/reset', undefined, { email })).status).toBe(202);
    await expect
      .poll(async () => (await edge.mailbox.list(email)).map(({ subject }) => subject))
      .toContain('Choose a new password');
    credentials.password = 'another long password';
    const chosen = await follow('reset', '/v1/auth/password/reset/confirmation', {
      password: credentials.password,
    });
    expect(chosen.status, JSON.stringify(chosen.body)).toBe(204);
    const session = await call('POST', '/v1/auth/login', undefined, credentials);
    expect(session.status).toBe(200);
    const cookie = cookiesOf(session);
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
    const { room } = parseGrant({ ...ticket });
    expect(room.ticket.split('.')).toHaveLength(3);
    const [relay] = room.iceServers;
    const mac = createHmac('sha1', turnSecret).update(relay?.username ?? '');
    expect(relay).toMatchObject({ urls: [turnUrl], credential: mac.digest('base64') });
    const reported = await fetch(`${running.url}/internal/counters`, {
      headers: { authorization: `Bearer ${nodeSecret}` },
    });
    expect(reported.status).toBe(200);
    expect(await verifyBooks(edge.database.db)).toEqual([]);
  });

  test('statement, limits, UPI, refund, invoice, payout and checkpoints', async () => {
    const buyer = await member();
    const { token } = buyer;
    const offer = await call('GET', '/v1/payments/packages');
    const order = await call('POST', '/v1/payments/orders', token, {
      packageId: offer.body.packages[0].id,
    });
    const begun = await call('POST', `/v1/payments/orders/${order.body.id}/upi`, token);
    expect(begun.status, JSON.stringify(begun.body)).toBe(201);
    expect(begun.body.link).toMatch(/^upi:\/\/pay\?/);
    await edge.control.approve(begun.body.gatewayPaymentId);
    await edge.control.settled();
    const status = await call('GET', `/v1/payments/orders/${order.body.id}`, token);
    expect(status.body).toMatchObject({ state: 'paid', balanceTokens: 50 });

    const csv = await call('GET', '/v1/wallet/statement?format=csv', token);
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(csv.body.split('\r\n')[1]).toContain(`purchase,Taster,50,`);
    // More than is read at once: the file goes on behind the handler that has begun it.
    const fan = await cast.fan(4);
    await cast.tipOften(fan.id, (await cast.live()).streamId, 2 * statementPageRows);
    const json = await call('GET', '/v1/wallet/statement?format=json', fan.token);
    expect(json.body.transactions).toHaveLength(2 * statementPageRows + 1);
    const limits = { dayTokens: 20, monthTokens: null, dayPaise: null, monthPaise: null };
    const set = await call('PUT', '/v1/wallet/limits', token, limits);
    expect(set.body).toMatchObject({ ...limits, spent: { dayPaise: 5_900 } });
    const { streamId } = await cast.live();
    const tip = await call('POST', '/v1/tips', token, { streamId, amountTokens: 21 });
    expect([tip.status, tip.body.code]).toEqual([409, 'spending-limit']);

    const path = `/v1/payments/${begun.body.gatewayPaymentId}/refunds`;
    const refund = await call('POST', path, token, { tokens: 10, reason: 'on every runtime' });
    expect(refund.status, JSON.stringify(refund.body)).toBe(201);
    expect(refund.body).toMatchObject({ tokens: 10, amountPaise: 1_180, state: 'requested' });

    const { body: papers } = await call('GET', '/v1/payments/invoices', token);
    const number = encodeURIComponent(papers.invoices[0].number);
    const page = await call(
      'GET',
      `/v1/payments/invoices/file?number=${number}&format=html`,
      token,
    );
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.body).toContain(papers.invoices[0].number);
    const pdf = await call('GET', `/v1/payments/invoices/file?number=${number}&format=pdf`, token);
    expect(pdf.headers.get('content-type')).toBe('application/pdf');
    const { text } = await extractText(await getDocumentProxy(pdf.bytes), { mergePages: true });
    expect(text).toContain(papers.invoices[0].number);

    const performer = await member('performer');
    const account = await call('PUT', '/v1/payouts/account', performer.token, {
      kind: 'bank',
      accountHolder: 'Asha Rao',
      ifsc: 'HDFC0000053',
      accountNumber: '765432123456789',
    });
    expect(account.body).toMatchObject({ mask: 'HDFC ••••6789', state: 'pending' });
    const payout = await call('POST', '/v1/payouts', performer.token, { amountPaise: 100_000 });
    expect([payout.status, payout.body.code]).toEqual([409, 'payout-account-unverified']);

    // What goes on in another database of the server holds the sealer back for a moment.
    await cast.sealAll();
    const { block } = await signCheckpoint(edge.parts.deps);
    const { body: chain } = await call('GET', '/v1/ledger/checkpoints');
    expect(chain.checkpoints[0].block).toBe(block);
    expect(await edge.parts.deps.books.faultOf(chain.checkpoints[0])).toBeNull();
    expect(await verifyBooks(edge.database.db)).toEqual([]);
  });

  test.each(acts)('%s', async (_, act) => {
    await act(createStage(edge, cast, send));
  });

  // The others have the job runner.
  test.runIf(name === 'workerd')(
    'a cron trigger runs all jobs but those that need Node',
    async () => {
      await edge.control.setFaults({ webhooks: { mode: 'manual' } });
      const buyer = await member();
      const order = await cast.order(buyer);
      await edge.control.pay(order.gatewayOrderId);
      await edge.database.asOwner('update orders set check_at = now() where id = $1', [order.id]);
      const mail = await edge.parts.deps.mailer.seal(
        'login',
        'cron@example.com',
        loginMail({ username: 'asha_1', link: 'https://livepanty.example/login', minutes: 15 }),
      );
      await edge.database.asOwner('select queue_mail($1, $2, $3)', [
        mail.id,
        mail.kind,
        mail.sealed,
      ]);
      await edge.database.asOwner('update mails set next_attempt_at = now()');
      await edge.database.asOwner('delete from job_leases');
      await running.cron?.();
      expect((await edge.mailbox.newest('cron@example.com')).senderId).toBe(mail.id);
      const leases = await edge.database.asOwner<{ name: string; error: string | null }>(
        'select name, last_error as error from job_leases where last_ended_at is not null order by name',
      );
      const expected = jobs.filter(({ nodeOnly }) => !nodeOnly).map(({ name }) => name);
      expect(leases).toEqual(expected.toSorted().map((name) => ({ name, error: null })));
      const wallet = await buyer.call('GET', '/v1/wallet');
      expect(wallet.body.balanceTokens).toBe(50);
      await edge.control.resetFaults();
    },
  );
});
