// Browsers on machines of the proof, and what their pages tell of the picture and of the path that it takes.
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { chromiumBin, startBrowser } from '../../../testing/browser.ts';
import { forcePaths } from '../../../testing/paths.ts';
import { openWindow, type PersonInBrowser } from '../../../testing/people.ts';
import { nodeCommand, startChild } from '../../launch/child.ts';
import { hostAddress, type Machine } from './machines.ts';
import { addressHeader, countryHeader, type Product } from './product.ts';

export interface MachineBrowser {
  browser: Browser;
  close(): Promise<void>;
}

/** A browser there, which finds the page at the address that it has everywhere. */
export async function startBrowserOn(machine: Machine, { urls }: Product): Promise<MachineBrowser> {
  const { port } = new URL(urls.edge);
  const here = ['127.0.0.1', port, hostAddress, port];
  const forwarder = startChild(
    machine.wrap(nodeCommand('scripts/prove/sfu/forward-main.ts', {}, here)),
    (line) => console.error(`  forwarder: ${line}`),
  );
  const folder = await mkdtemp(join(tmpdir(), 'livepanty-browser-'));
  const program = join(folder, 'chromium');
  // At once: a file that a process which is being started still has open cannot be run.
  writeFileSync(program, `#!/bin/sh\nexec ${machine.prefix.join(' ')} ${chromiumBin()} "$@"\n`, {
    mode: 0o755,
  });
  const browser = await startBrowser([], program);
  return {
    browser,
    async close() {
      await browser.close();
      await forwarder.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

let addresses = 0;

/** A window of nobody yet, who is in that country; its connections can be asked for statistics. */
export async function openWindowIn(
  browser: Browser,
  product: Product,
  country: string,
): Promise<PersonInBrowser> {
  const person = await openWindow(browser, product);
  addresses += 1;
  await person.context.setExtraHTTPHeaders({
    [countryHeader]: country,
    [addressHeader]: `2001:db8:ffff:${addresses.toString(16)}::1`,
  });
  await forcePaths(person.context, {});
  return person;
}

/** Counts sockets and tickets from now on: whoever mends a path needs neither. */
export function countRejoins(page: Page): () => number {
  let rejoins = 0;
  page.on('websocket', () => {
    rejoins += 1;
  });
  page.on('request', (request) => {
    if (request.url().endsWith('/tickets')) rejoins += 1;
  });
  return () => rejoins;
}
