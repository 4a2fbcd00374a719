// The whole product with a browser, for tests end to end, and what they do behind its pages.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContextOptions } from 'playwright';
import { z } from 'zod';
import { Session } from '#contract';
import { totpAt } from '../edge/services/totp.ts';
import { readDemoAccounts } from '../scripts/launch/database.ts';
import { type Stack, startStack } from '../scripts/launch/stack.ts';
import {
  type ControlClient,
  createControlClient,
} from '../scripts/local/razorpay-sandbox/control-client.ts';
import { startBrowser } from './browser.ts';
import { connectOwned, type OwnedDatabase } from './database.ts';
import { openWindow, type PersonInBrowser } from './people.ts';

export interface Product {
  stack: Stack;
  database: OwnedDatabase;
  /** The controls of the payment sandbox. */
  sandbox: ControlClient;
  /** A browser window of nobody yet; on a desktop, unless another device is named. */
  openWindow(device?: BrowserContextOptions): Promise<PersonInBrowser>;
  /** Logs a member of staff in; answers what sends requests as them, and throws when one is refused. */
  logStaffIn(): Promise<(method: string, path: string, body?: unknown) => Promise<unknown>>;
  /** Makes a job due, and starts the job runner anew, which carries it out at once. */
  hurryJob(name: string): Promise<void>;
  close(): Promise<void>;
}

/** `env` is what is set besides the environment of the tests. */
export async function startProduct(
  env: Record<string, string> = {},
  {
    browserArgs,
    onLine,
  }: {
    browserArgs?: string[];
    /** Hears everything that the parts log. */
    onLine?: (part: string, text: string) => void;
  } = {},
): Promise<Product> {
  const dataDir = await mkdtemp(join(tmpdir(), 'livepanty-e2e-'));
  const browser = await startBrowser(browserArgs);
  const stack = await startStack({
    dataDir,
    ports: 'free',
    disposable: true,
    env: { ...process.env, ...env },
    ...(onLine ? { onLine } : {}),
  }).catch(async (error: unknown) => {
    await browser.close();
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  });
  const { urls, secrets } = stack;
  const database = connectOwned(urls.database, urls.databaseOwner);

  async function request(method: string, path: string, body: unknown, token: string | null) {
    const answer = await fetch(`${urls.edge}/v1${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
  }

  async function openStaffSession(): Promise<string> {
    const accounts = await readDemoAccounts(dataDir);
    const admin = accounts.find(({ role }) => role === 'admin');
    const asked = await fetch(`${urls.edge}/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: admin?.email, password: admin?.password }),
    });
    const { challengeId } = z.object({ challengeId: z.string() }).parse(await asked.json());
    const code = await totpAt(admin?.authenticatorSecret ?? '', new Date());
    const answer = { challengeId, code };
    const session = await request('POST', '/auth/second-factor/login', answer, null);
    return Session.parse(session).accessToken;
  }

  let staffToken: Promise<string> | undefined;
  return {
    stack,
    database,
    sandbox: createControlClient({
      url: urls.sandbox ?? '',
      keyId: secrets.razorpayKeyId,
      keySecret: secrets.razorpayKeySecret,
    }),

    openWindow: (device) => openWindow(browser, stack, device),

    async logStaffIn() {
      // A code is taken once: whoever logs in twice within half a minute shares what the first one opened.
      staffToken ??= openStaffSession();
      const token = await staffToken;
      return (method, path, body) => request(method, path, body, token);
    },

    async hurryJob(name) {
      await database.asOwner('update job_leases set next_at = now() where name = $1', [name]);
      await stack.restart('jobs');
    },

    async close() {
      await browser.close();
      await database.close();
      await stack.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
