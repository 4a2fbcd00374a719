// A real Chromium for tests, with a fake camera and microphone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright';

/** The system's, unless `CHROMIUM_BIN` names another one. */
export function chromiumBin(): string {
  return process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';
}

const usualArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];

/** Starts headless Chromium. */
export async function startBrowser(
  args: string[] = [],
  executablePath = chromiumBin(),
): Promise<Browser> {
  return chromium.launch({ executablePath, args: [...usualArgs, ...args] });
}

/** Two tabs of one window, as a person has them: of these one is hidden. */
export interface Tabs {
  page: Page;
  /** Looks at the other tab, behind which the page is hidden; resolves when it is. */
  lookAway(): Promise<void>;
  lookBack(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Playwright makes all pages of a browser that it launches believe that they are looked at. Of one that it has only been
 * connected to, without its defaults, it leaves alone what a tab in the background is.
 */
export async function openTabs(): Promise<Tabs> {
  const profile = await mkdtemp(join(tmpdir(), 'livepanty-tabs-'));
  const args = ['--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`];
  const child = spawn(chromiumBin(), [...args, ...usualArgs, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const browser = await chromium.connectOverCDP(await debuggerOf(child.stderr), {
    noDefaults: true,
  });
  const [context] = browser.contexts();
  const [other] = context?.pages() ?? [];
  if (!context || !other) throw new Error('a browser begins with one tab');
  const page = await context.newPage();
  const seen = (state: DocumentVisibilityState) =>
    page.waitForFunction((wanted) => document.visibilityState === wanted, state, { polling: 50 });
  return {
    page,
    async lookAway() {
      await other.bringToFront();
      await seen('hidden');
    },
    async lookBack() {
      await page.bringToFront();
      await seen('visible');
    },
    async close() {
      await browser.close();
      const ended = once(child, 'exit');
      if (child.kill()) await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The address that a browser prints once it can be driven. */
async function debuggerOf(output: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of output) {
    text += chunk;
    const found = /ws:\/\/\S+/.exec(text)?.[0];
    if (found) return found;
  }
  throw new Error(`the browser did not start:\n${text}`);
}
