// The payment sandbox: a local gateway that the official `razorpay` package and Checkout work against unchanged.
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Logger } from 'pino';
import { assert, type Health } from '#contract';
import { answerFaults } from './answer-faults.ts';
import { createApi } from './api.ts';
import { createCheckout } from './checkout.ts';
import type { SandboxConfig } from './config.ts';
import { createControl } from './control.ts';
import { createPayoutApi } from './payouts/api.ts';
import { payoutAccountNumberDefault } from './payouts/payout-account.ts';
import { GatewayRefusal } from './refusal.ts';
import { basicAuth, type SandboxEnv } from './request.ts';
import { createSandboxParts } from './sandbox-parts.ts';
import { createStateWriter, loadState, newState } from './state-file.ts';

export const requestBodyBytesMax = 64 * 1024;
const webhookRetryBaseMs = 1_000;

type RequiredConfig = Pick<
  SandboxConfig,
  'port' | 'keyId' | 'keySecret' | 'webhookSecret' | 'webhookUrl' | 'stateFile'
>;

/** What RazorpayX has of its own is optional: else it is that of the gateway. */
export interface SandboxOptions
  extends RequiredConfig,
    Partial<Omit<SandboxConfig, keyof RequiredConfig | 'logLevel'>> {
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
  const { log } = options;
  const state = options.stateFile ? await loadState(options.stateFile) : newState();
  const writer = createStateWriter(options.stateFile, () => parts.state(), log);
  const parts = createSandboxParts({
    state,
    keySecret: options.keySecret,
    payoutAccountNumber: options.payoutAccountNumber ?? payoutAccountNumberDefault,
    targets: {
      gateway: { url: options.webhookUrl, secret: options.webhookSecret },
      payouts: {
        url: options.payoutWebhookUrl ?? options.webhookUrl,
        secret: options.payoutWebhookSecret ?? options.webhookSecret,
      },
    },
    webhookRetryBaseMs: options.webhookRetryBaseMs ?? webhookRetryBaseMs,
    now: options.now ?? (() => new Date()),
    onChange: () => writer.touch(),
    log,
  });

  const auth = basicAuth(options.keyId, options.keySecret);
  const payoutAuth = basicAuth(
    options.payoutKeyId ?? options.keyId,
    options.payoutKeySecret ?? options.keySecret,
  );
  const faulty = answerFaults(parts.faults);
  // Inside of the faults: what was carried out is kept although its answer never came.
  const kept: MiddlewareHandler<SandboxEnv> = async (c, next) => {
    await next();
    if (c.req.method !== 'GET') writer.touch();
  };

  const app = createApp(log);
  app.use('/v1/checkout/*', kept);
  app.route('/v1', createCheckout(parts.gateway, options.keyId));
  app.route('/v1', createPayoutApi(parts, [payoutAuth, faulty, kept]));
  app.use('/v1/*', auth, faulty, kept);
  app.route('/v1', createApi(parts));
  app.use('/sandbox/*', kept);
  app.route('/sandbox', createControl(parts, auth));

  const { server, address } = await listen(app, options.port);
  let closed: Promise<void> | null = null;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    close() {
      closed ??= (async () => {
        parts.close();
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

function createApp(log: Logger): Hono<SandboxEnv> {
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
  return app;
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
