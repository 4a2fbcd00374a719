// The mailbox: a local stand-in for a mail provider, by HTTP and by SMTP, whose mails anybody at this machine can read.
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Logger } from 'pino';
import type { Health } from '#contract';
import { listenLocally } from '../http.ts';
import { createApi, type MailboxEnv, refusalIn } from './api.ts';
import { createControl } from './control.ts';
import { createFaultSwitch } from './faults.ts';
import { createMailStore, mailsMaxDefault } from './mail-store.ts';
import { createPage } from './page.ts';
import { startSmtp } from './smtp.ts';

const requestBodyBytesMax = 256 * 1024;

export interface MailboxOptions {
  /** 0 takes any free one, here and below. */
  port: number;
  smtpPort: number;
  apiKey: string;
  mailsMax?: number;
  /** Of the SMTP server; for tests. */
  tls?: Parameters<typeof startSmtp>[0]['tls'];
  log: Logger;
}

export interface Mailbox {
  url: string;
  smtpUrl: string;
  close(): Promise<void>;
}

/** Starts it on the loopback address. */
export async function startMailbox(options: MailboxOptions): Promise<Mailbox> {
  const { log, apiKey, tls } = options;
  const store = createMailStore(options.mailsMax ?? mailsMaxDefault);
  const faults = createFaultSwitch();
  const parts = { store, faults, apiKey };

  const app = new Hono<MailboxEnv>();
  const healthy: Health = { ok: true, service: 'mailbox', checks: {} };
  app.get('/healthz', (c) => c.json(healthy));
  app.get('/readyz', (c) => c.json(healthy));
  app.use(bodyLimit({ maxSize: requestBodyBytesMax }));
  app.route('/', createApi(parts));
  app.route('/mailbox', createControl(parts));
  app.route('/', createPage(store));
  app.onError((error, c) => {
    const refusal = refusalIn(error);
    if (refusal) return c.json(refusal.body, refusal.status);
    log.error({ err: error }, 'a request failed');
    return c.json({ statusCode: 500, name: 'application_error', message: 'It is our fault' }, 500);
  });

  const smtp = await startSmtp({ port: options.smtpPort, store, faults, ...(tls ? { tls } : {}) });
  const http = await listenLocally(getRequestListener(app.fetch), options.port);
  return {
    url: `http://127.0.0.1:${http.port}`,
    smtpUrl: `smtp://127.0.0.1:${smtp.port}?tls=none`,
    async close() {
      await Promise.all([http.close(), smtp.close()]);
    },
  };
}
