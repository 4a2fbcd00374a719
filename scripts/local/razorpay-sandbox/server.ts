// The payment sandbox: a local gateway that the official `razorpay` package and Checkout work against unchanged.
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Logger } from 'pino';
import { assert, type Health } from '#contract';
import { basicAuth, createApi, type SandboxEnv } from './api.ts';
import { createCheckout } from './checkout.ts';
import type { SandboxConfig } from './config.ts';
import { createControl } from './control.ts';
import { newEntityId } from './entities.ts';
import { createFaultSwitch } from './faults.ts';
import { createGateway } from './gateway.ts';
import { GatewayRefusal } from './refusal.ts';
import { createStateWriter, loadState } from './state-file.ts';
import { createWebhooks } from './webhooks.ts';

export const requestBodyBytesMax = 64 * 1024;
const webhookRetryBaseMs = 1_000;

export interface SandboxOptions extends Omit<SandboxConfig, 'logLevel'> {
  /** The first retry's delay; for tests. */
  webhookRetryBaseMs?: number;
  now?: () => Date;
  log: Logger;
}

export interface Sandbox {
  url: string;
  port: number;
  close(): Promise<void>;
}

/** Starts the sandbox on the loopback address. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { log, now = () => new Date() } = options;
  const state = options.stateFile ? await loadState(options.stateFile) : null;
  const accountId = state?.accountId ?? newEntityId('acc');
  const faults = createFaultSwitch();
  const writer = createStateWriter(
    options.stateFile,
    () => ({ version: 1, accountId, gateway: gateway.state(), events: webhooks.events() }),
    log,
  );
  const webhooks = createWebhooks({
    url: options.webhookUrl,
    secret: options.webhookSecret,
    accountId,
    events: state?.events ?? [],
    faults,
    retryBaseMs: options.webhookRetryBaseMs ?? webhookRetryBaseMs,
    now,
    onChange: () => writer.touch(),
    log,
  });
  const gateway = createGateway({
    keySecret: options.keySecret,
    state: state?.gateway ?? null,
    now,
    publish: webhooks.publish,
  });

  const app = new Hono<SandboxEnv>();
  const healthy: Health = { ok: true, service: 'razorpay-sandbox', checks: {} };
  app.get('/healthz', (c) => c.json(healthy));
  app.get('/readyz', (c) => c.json(healthy));
  app.use(
    bodyLimit({
      maxSize: requestBodyBytesMax,
      onError: () => {
        throw new GatewayRefusal(413, { description: 'The request is too large' });
      },
    }),
  );
  app.use(async (c, next) => {
    await next();
    if (c.req.method !== 'GET') writer.touch();
  });
  const auth = basicAuth(options.keyId, options.keySecret);
  app.route('/v1', createCheckout(gateway, options.keyId));
  app.route('/v1', createApi(gateway, faults, auth));
  app.route('/sandbox', createControl({ gateway, faults, webhooks }, auth));
  app.notFound((c) => {
    const refusal = new GatewayRefusal(400, { description: 'The requested URL was not found' });
    return c.json(refusal.body, refusal.status);
  });
  app.onError((error, c) => {
    if (error instanceof GatewayRefusal) return c.json(error.body, error.status);
    log.error({ err: error }, 'a request failed');
    const code = 'SERVER_ERROR';
    return c.json(
      { error: { code, description: 'We are facing some trouble', metadata: {} } },
      500,
    );
  });

  const { server, address } = await listen(app, options.port);
  let closed: Promise<void> | null = null;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    close() {
      closed ??= (async () => {
        webhooks.close();
        await new Promise<void>((resolve) => {
          server.close(() => resolve());
          if ('closeAllConnections' in server) server.closeAllConnections();
        });
        await writer.close();
      })();
      return closed;
    },
  };
}

function listen(app: Hono<SandboxEnv>, port: number) {
  return new Promise<{ server: ReturnType<typeof serve>; address: AddressInfo }>(
    (resolve, reject) => {
      const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, (address) => {
        assert(address !== null, 'a listening server has an address');
        resolve({ server, address });
      });
      server.once('error', reject);
    },
  );
}
