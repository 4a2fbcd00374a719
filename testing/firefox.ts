// A real Firefox for tests, driven by WebDriver BiDi, with a fake camera and microphone of its own.
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser, type BrowserContext, type Page } from 'puppeteer-core';
import type { Stack } from '../scripts/launch/stack.ts';
import { emailOf, type PersonInBrowser, password } from './people.ts';
import { framesAdvance, playingBy, type WatchedPage } from './video.ts';

export interface PersonInFirefox {
  context: BrowserContext;
  page: Page;
  /** Everything the page complained about; a clean run leaves it empty. */
  complaints: string[];
}

/** Named by a variable, or where the set-up for tests keeps it; null on systems for which it has none. */
export function findFirefox(): string | null {
  const named = process.env.FIREFOX_BIN;
  if (named) return named;
  const kept = join(homedir(), '.cache', 'livepanty', 'firefox');
  const systems = existsSync(kept) ? readdirSync(kept) : [];
  const programs = systems.map((system) => join(kept, system, 'usr/lib/firefox-esr/firefox-esr'));
  return programs.find((program) => existsSync(program)) ?? null;
}

const basePrefs = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  // Sound plays without a click, as it does for somebody who has allowed it.
  'media.autoplay.default': 0,
  // Without loudspeakers no sound would be played at all.
  'media.cubeb.force_mock_context': true,
};

/** `prefs` are those of about:config. */
export function startFirefox(
  program: string,
  prefs: Record<string, string | number | boolean> = {},
): Promise<Browser> {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: program,
    headless: true,
    defaultViewport: { width: 1280, height: 800 },
    extraPrefsFirefox: { ...basePrefs, ...prefs },
  });
}

/** A new window of nobody yet. */
export async function openFirefoxWindow(browser: Browser): Promise<PersonInFirefox> {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`page error: ${String(error)}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  return { context, page, complaints };
}

const byTestId = (id: string) => `[data-testid="${id}"]`;

/**
 * Resolves when there is such an element. The driver's own way of waiting compiles code in the page, which the page's
 * Content Security Policy refuses.
 */
export async function see(
  { page }: Pick<PersonInFirefox, 'page'>,
  selector: string,
  timeoutMs = 30_000,
): Promise<void> {
  await page.evaluate(
    async (selector, timeoutMs) => {
      const deadline = performance.now() + timeoutMs;
      while (!document.querySelector(selector)) {
        if (performance.now() > deadline) {
          const { state, transport } =
            document.querySelector<HTMLElement>('[data-testid="player"]')?.dataset ?? {};
          const said = document.querySelector('main')?.textContent.slice(0, 400);
          throw new Error(
            `there is no ${selector}; the player is ${state} by ${transport}, and the page says: ${said}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    selector,
    timeoutMs,
  );
}

/** Clicks when it can be used, stands still, and nothing is before it. */
export async function click({ page }: PersonInFirefox, testId: string): Promise<void> {
  const { x, y } = await page.evaluate(
    async (selector, timeoutMs) => {
      const deadline = performance.now() + timeoutMs;
      let before = '';
      for (;;) {
        const element = document.querySelector(selector);
        element?.scrollIntoView({ block: 'center', behavior: 'instant' });
        const box = element?.getBoundingClientRect() ?? new DOMRect();
        const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        const now = [box.x, box.y, box.width, box.height].join();
        const hit = document.elementFromPoint(x, y);
        if (hit && element?.contains(hit) && now === before) return { x, y };
        before = now;
        if (performance.now() > deadline) throw new Error(`${selector} cannot be clicked`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    `${byTestId(testId)}:enabled`,
    30_000,
  );
  await page.mouse.click(x, y);
}

/** Types into a field that is empty. */
export async function fill(person: PersonInFirefox, testId: string, value: string): Promise<void> {
  await click(person, testId);
  await person.page.keyboard.type(value);
}

/** The page, as what looks at players takes it. */
export function watched({ page }: Pick<PersonInFirefox, 'page'>): WatchedPage {
  return {
    evaluate: <Options, Answer>(work: (options: Options) => Promise<Answer>, options: Options) =>
      page.evaluate(work as (options: unknown) => Promise<Answer>, options),
  };
}

/** Resolves when the player shows moving pictures by this transport. */
export async function untilPlayingIn(
  person: PersonInFirefox,
  transport: 'webrtc' | 'hls',
  timeoutMs = 40_000,
): Promise<void> {
  await see(person, playingBy(transport), timeoutMs);
  await framesAdvance(watched(person), 15, timeoutMs);
}

/** Says how old they are where a stream asks for it. */
export async function passAgeGateIn(person: PersonInFirefox): Promise<void> {
  await click(person, 'gate-date-of-birth');
  // The click is on one of its parts; they are in the order of the browser's language.
  for (let part = 0; part < 2; part += 1) await person.page.keyboard.press('ArrowLeft');
  await person.page.keyboard.type('04171992');
  await click(person, 'gate-country');
  await person.page.keyboard.type('India');
  await person.page.keyboard.press('Enter');
  await click(person, 'gate-submit');
}

/** Logs in here to the account that somebody has made in the other browser. */
export async function logIn(
  person: PersonInFirefox,
  { urls }: Pick<Stack, 'urls'>,
  { username }: Pick<PersonInBrowser, 'username'>,
): Promise<void> {
  await person.page.goto(`${urls.app}/login`);
  await fill(person, 'email', emailOf(username));
  await fill(person, 'password', password);
  await click(person, 'login-submit');
  await see(person, byTestId('header-account'));
}
