// The edge for tests: the real app over HTTP, on real PostgreSQL, Redis, and the payment sandbox.
import { randomBytes, randomUUID } from 'node:crypto';
import { type ServerType, serve } from '@hono/node-server';
import { exportJWK, generateKeyPair } from 'jose';
import { pino } from 'pino';
import { z } from 'zod';
import { Session, TicketGrant } from '#contract';
import { createServerParts, type ServerParts } from '../edge/runtime/server.ts';
import { mailboxFrom, sandboxAccountNumber } from '../scripts/launch/environment.ts';
import { freePort } from '../scripts/launch/free-port.ts';
import {
  type ControlClient,
  createControlClient,
} from '../scripts/local/razorpay-sandbox/control-client.ts';
import { type Sandbox, startSandbox } from '../scripts/local/razorpay-sandbox/server.ts';
import { startUpstashProxy } from '../scripts/local/upstash-proxy/server.ts';
import { type ApiCheck, createApiCheck } from './api-check.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { startTestMailbox, type TestMailbox } from './mailbox.ts';
import { redisUrl } from './services.ts';

export const nodeSecret = 'test-node-secret-of-at-least-32-characters';
export const gatewayKeyId = 'rzp_test_key';
export const gatewayKeySecret = 'test-gateway-secret';
export const webhookSecret = 'test-webhook-secret';
export const payoutWebhookSecret = 'test-payout-webhook-secret';

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  body: any;
}

export interface Person {
  session: Session;
  /** The cookies as a browser sends them. */
  cookie: string;
  call: TestEdge['call'];
}

export interface TestEdge {
  url: string;
  env: Record<string, string>;
  database: TestDatabase;
  parts: ServerParts;
  sandbox: Sandbox;
  /** One request; an object body is sent as JSON, a string or bytes as they are. Throws when the answer is not as documented. */
  call(
    method: string,
    path: string,
    options?: { body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer>;
  register(role?: 'viewer' | 'performer' | 'admin'): Promise<Person>;
  /** Requests of somebody without an account who has passed the age gate. */
  guest(country?: string): Promise<TestEdge['call']>;
  /** Orders the first package, pays it in the sandbox, and waits for the webhook to be through. */
  buyTokens(person: Person): Promise<{ gatewayOrderId: string; tokens: number }>;
  /** The sandbox's controls. */
  control: ControlClient;
  /** What was mailed. */
  mailbox: TestMailbox;
  /** Room address of a node that a test may start: nobody is there, and the configuration names it. */
  offerNodeUrl: string;
  /** A request to the sandbox's controls, for what is said in its own words. */
  controlSandbox(method: string, path: string, body?: unknown): Promise<Answer>;
  /** A performer with a stream that has gone live on a node. */
  goLive(): Promise<{ performer: Person; streamId: string; nodeId: string }>;
  close(): Promise<void>;
}

/** What an answer gives a browser to keep, as it sends it back. */
export function cookiesOf({ headers }: { headers: Headers }): string {
  return headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}

export function newKey(): string {
  return randomUUID();
}

/** An address that nobody else has, of a line of its own. */
export function newAddress(): string {
  const [one, two, three] = randomBytes(6).toString('hex').match(/.{4}/g) ?? [];
  return `2001:db8:${one}:${two}::${three}`;
}

/** A private signing key set as the configuration wants it. */
export async function newSigningKeys(kid = 'test'): Promise<string> {
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
  return JSON.stringify([{ ...(await exportJWK(privateKey)), kid }]);
}

/** `more` is added to the configuration. */
export async function startTestEdge(more: Record<string, string> = {}): Promise<TestEdge> {
  const log = pino({ level: 'silent' });
  const [database, port, sandboxPort, offerNodePort] = await Promise.all([
    createTestDatabase(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const offerNodeUrl = `ws://127.0.0.1:${offerNodePort}/room`;
  const url = `http://127.0.0.1:${port}`;
  const mailbox = await startTestMailbox(database, log);
  const upstashToken = randomUUID();
  const upstash = await startUpstashProxy({
    redisUrl: redisUrl(),
    token: upstashToken,
    port: 0,
    log,
  });
  const sandbox = await startSandbox({
    port: sandboxPort,
    keyId: gatewayKeyId,
    keySecret: gatewayKeySecret,
    webhookSecret,
    webhookUrl: `${url}/v1/payments/webhooks/razorpay`,
    payoutWebhookSecret,
    payoutWebhookUrl: `${url}/v1/payments/webhooks/razorpayx`,
    payoutAccountNumber: sandboxAccountNumber,
    stateFile: null,
    webhookRetryBaseMs: 20,
    log,
  });
  const env = {
    ENVIRONMENT: 'development',
    APP_ORIGIN: url,
    DATABASE_URL: database.url,
    UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${upstash.port}`,
    UPSTASH_REDIS_REST_TOKEN: upstashToken,
    SIGNING_KEYS: await newSigningKeys(),
    NODE_SECRET: nodeSecret,
    RAZORPAY_KEY_ID: gatewayKeyId,
    RAZORPAY_KEY_SECRET: gatewayKeySecret,
    RAZORPAY_WEBHOOK_SECRET: webhookSecret,
    RAZORPAYX_KEY_ID: gatewayKeyId,
    RAZORPAYX_KEY_SECRET: gatewayKeySecret,
    RAZORPAYX_ACCOUNT_NUMBER: sandboxAccountNumber,
    RAZORPAYX_WEBHOOK_SECRET: payoutWebhookSecret,
    MAIL_FROM: mailboxFrom,
    MAIL_API_URL: mailbox.url,
    MAIL_API_KEY: mailbox.apiKey,
    DATA_KEYS: JSON.stringify([{ kid: 'test', key: randomBytes(32).toString('base64url') }]),
    HASH_KEY: randomBytes(32).toString('base64url'),
    LEDGER_KEYS: await newSigningKeys('books'),
    RAZORPAY_API_URL: sandbox.url,
    RAZORPAY_CHECKOUT_URL: `${sandbox.url}/v1/checkout.js`,
    MEDIA_ORIGINS: `ws://127.0.0.1:1,http://127.0.0.1:2,${new URL(offerNodeUrl).origin}`,
    LOG_LEVEL: 'silent',
    // Limits count by address; tests choose theirs.
    CLIENT_ADDRESS_HEADER: 'x-test-address',
    TRUSTED_PROXIES: '127.0.0.1',
    ...more,
  };
  const parts = await createServerParts(env, 'edge');
  const server = await new Promise<ServerType>((resolve) => {
    const listening = serve(
      {
        port,
        hostname: '127.0.0.1',
        fetch: (request) => parts.fetch(request, '127.0.0.1'),
      },
      () => resolve(listening),
    );
  });

  let apiCheck: Promise<ApiCheck> | undefined;
  const readApiCheck = async () =>
    createApiCheck((await request(`${url}/openapi.json`, 'GET')).body);

  const call: TestEdge['call'] = async (method, path, options = {}) => {
    const answer = await request(`${url}${path}`, method, options.body, options.headers);
    if (path.startsWith('/v1/')) {
      apiCheck ??= readApiCheck();
      (await apiCheck).check(method, path, answer);
    }
    return answer;
  };

  const edge: TestEdge = {
    url,
    env,
    database,
    parts,
    sandbox,
    control: createControlClient({
      url: sandbox.url,
      keyId: gatewayKeyId,
      keySecret: gatewayKeySecret,
    }),
    mailbox,
    offerNodeUrl,
    call,

    async register(role = 'viewer') {
      const name = `u${randomUUID().replaceAll('-', '').slice(0, 16)}`;
      const registered = await call('POST', '/v1/auth/register', {
        body: {
          email: `${name}@example.com`,
          username: name,
          password: 'a long enough password',
          dateOfBirth: '1990-05-05',
          country: 'IN',
        },
        headers: { 'x-test-address': newAddress() },
      });
      let session = Session.parse(registered.body);
      // An account of yesterday is not a new one any more, and its person has opened the mail.
      await database.asOwner(
        `update users set created_at = now() - interval '1 year', email_verified_at = now() where id = $1`,
        [session.user.id],
      );
      session.user.emailVerified = true;
      const cookie = cookiesOf(registered);
      if (role === 'performer') {
        const raised = await call('POST', '/v1/auth/performer', {
          headers: { authorization: `Bearer ${session.accessToken}` },
        });
        session = Session.parse(raised.body);
      }
      if (role === 'admin') {
        await database.asOwner('update users set role = $2 where id = $1', [
          session.user.id,
          'admin',
        ]);
      }
      if (role !== 'viewer') {
        // As if an authenticator had shown a code at the log-in.
        await database.asOwner('update sessions set second_factor_at = now() where user_id = $1', [
          session.user.id,
        ]);
        const renewed = await call('POST', '/v1/auth/refresh', { headers: { cookie } });
        session = Session.parse(renewed.body);
      }
      return {
        session,
        cookie,
        call: (method, path, options = {}) =>
          call(method, path, {
            ...options,
            headers: { authorization: `Bearer ${session.accessToken}`, ...options.headers },
          }),
      };
    },

    async guest(country = 'IN') {
      const admitted = await call('POST', '/v1/guests', {
        body: { country, dateOfBirth: '1990-05-05' },
        headers: { 'x-test-address': newAddress() },
      });
      const cookie = cookiesOf(admitted);
      return (method, path, options = {}) =>
        call(method, path, { ...options, headers: { cookie, ...options.headers } });
    },

    async controlSandbox(method, path, body) {
      const credentials = btoa(`${gatewayKeyId}:${gatewayKeySecret}`);
      return request(`${sandbox.url}/sandbox${path}`, method, body, {
        authorization: `Basic ${credentials}`,
      });
    },

    async buyTokens(person) {
      const { body: offer } = await call('GET', '/v1/payments/packages');
      const ordered = await person.call('POST', '/v1/payments/orders', {
        body: { packageId: offer.packages[0].id },
        headers: { 'idempotency-key': newKey() },
      });
      const order = z.object({ gatewayOrderId: z.string(), tokens: z.int() }).parse(ordered.body);
      await edge.controlSandbox('POST', `/orders/${order.gatewayOrderId}/pay`, {});
      await edge.controlSandbox('GET', '/settled');
      return order;
    },

    async goLive() {
      const performer = await edge.register('performer');
      const created = await performer.call('POST', '/v1/streams', {
        body: { title: 'Evening set', category: 'music' },
        headers: { 'idempotency-key': newKey() },
      });
      const streamId = z.object({ id: z.uuid() }).parse(created.body).id;
      await performer.call('POST', `/v1/streams/${streamId}/start`);
      const nodeId = `node-${streamId.slice(-12)}`;
      await parts.deps.redis.run((redis) =>
        redis.hset('sfu:nodes', {
          [nodeId]: { nodeId, url: 'ws://127.0.0.1:1/room', load: 0.1, seenAt: Date.now() },
        }),
      );
      await call('POST', '/internal/nodes/report', {
        headers: { authorization: `Bearer ${nodeSecret}` },
        body: {
          nodeId,
          url: 'ws://127.0.0.1:1/room',
          streams: [{ streamId, publishing: true, videoCodec: 'H264', viewers: 0 }],
        },
      });
      return { performer, streamId, nodeId };
    },

    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      });
      await parts.close();
      await sandbox.close();
      await mailbox.close();
      await upstash.close();
      await database.close();
    },
  };
  return edge;
}

async function request(
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: bytesOf(body) }),
    redirect: 'manual',
  });
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: json && text ? JSON.parse(text) : text,
  };
}

/** Text and bytes as they are, anything else as JSON. */
export function bytesOf(body: unknown): string | Uint8Array<ArrayBuffer> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  return isRaw ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body);
}

export function parseGrant(answer: Answer): TicketGrant {
  return TicketGrant.parse(answer.body);
}
