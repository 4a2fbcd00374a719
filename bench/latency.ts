// Latency: how far behind the camera the picture is, and how soon there is one, by WebRTC and by LL-HLS.
// One 720p30 publisher and one viewer at a time, all on this machine, in real browsers; the delay is read
// from the pixels of the picture.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright';
import { type Stack, startStack } from '../scripts/launch/stack.ts';
import { startBrowser } from '../testing/browser.ts';
import { admitGuest, goLive, openWindow, register } from '../testing/people.ts';
import { quantile, readDelays } from '../testing/pixel-clock.ts';
import { untilPlaying } from '../testing/video.ts';
import type { Bench } from './main.ts';
import { histogram } from './plot.ts';

type Transport = 'webrtc' | 'hls';
const transports: readonly Transport[] = ['webrtc', 'hls'];

/** Rounds alternate between the two transports, so that a busy moment of the machine hits both. */
const rounds = 5;
const delaysPerRound = 60;
const joinsPerRound = 30;
const joinTimeoutMs = 20_000;

const player = 'video[data-testid="player"]';

export const latency: Bench = {
  name: 'latency',
  summary: 'glass to glass and first frame, WebRTC and LL-HLS, 720p30',
  async run() {
    const dataDir = await mkdtemp(join(tmpdir(), 'livepanty-bench-'));
    const stack = await startStack({ dataDir, ports: 'free', disposable: true });
    const browser = await startBrowser();
    try {
      return await measure(browser, stack);
    } finally {
      await browser.close();
      await stack.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  },
};

async function measure(browser: Browser, stack: Stack): Promise<Record<string, unknown>> {
  const performer = await openWindow(browser, stack);
  await register(performer, 'bench');
  const streamId = await goLive(performer, 'Latency bench');
  const { context } = await openWindow(browser, stack);
  await admitGuest({ context });
  const address = (transport: Transport) =>
    `/watch/${streamId}${transport === 'hls' ? '?transport=hls' : ''}`;

  const delays: Record<Transport, number[]> = { webrtc: [], hls: [] };
  const joins: Record<Transport, number[]> = { webrtc: [], hls: [] };
  for (let round = 1; round <= rounds; round += 1) {
    for (const transport of transports) {
      delays[transport].push(...(await watchDelays(context, address(transport), transport)));
      progress(`round ${round} of ${rounds}: delay by ${transport}`);
    }
    for (let join = 0; join < joinsPerRound; join += 1) {
      for (const transport of transports) {
        joins[transport].push(await firstFrame(context, address(transport)));
      }
      progress(`round ${round} of ${rounds}: ${join + 1} of ${joinsPerRound} joins each`);
    }
  }
  process.stderr.write('\n');
  console.log(histogram('WebRTC, glass to glass', delays.webrtc));
  console.log(histogram('LL-HLS, glass to glass', delays.hls));
  console.log(histogram('WebRTC, first frame after the address is opened', joins.webrtc));
  console.log(histogram('LL-HLS, first frame after the address is opened', joins.hls));
  return {
    figures: {
      webrtcMs: figures(delays.webrtc),
      llhlsMs: figures(delays.hls),
      webrtcFirstFrameMs: figures(joins.webrtc),
      llhlsFirstFrameMs: figures(joins.hls),
    },
  };
}

async function watchDelays(
  context: BrowserContext,
  address: string,
  transport: Transport,
): Promise<number[]> {
  const page = await context.newPage();
  await page.goto(address);
  await untilPlaying(page, transport);
  const { delaysMs } = await readDelays(page, player, {
    samples: delaysPerRound,
    timeoutMs: 60_000,
  });
  await page.close();
  return delaysMs;
}

/** Milliseconds from opening the address to the first frame that is presented. */
async function firstFrame(context: BrowserContext, address: string): Promise<number> {
  const page = await context.newPage();
  await page.addInitScript((selector) => {
    const look = () => {
      const video = document.querySelector<HTMLVideoElement>(selector);
      if (!video) {
        requestAnimationFrame(look);
        return;
      }
      video.requestVideoFrameCallback(() => {
        Reflect.set(window, 'firstFrameMs', performance.now());
      });
    };
    look();
  }, player);
  await page.goto(address);
  const handle = await page.waitForFunction(() => Reflect.get(window, 'firstFrameMs'), null, {
    timeout: joinTimeoutMs,
  });
  const firstFrameMs = Number(await handle.jsonValue());
  await page.close();
  return firstFrameMs;
}

function figures(samples: readonly number[]): { p50: number; p95: number; samples: number } {
  return {
    p50: Math.round(quantile(samples, 0.5)),
    p95: Math.round(quantile(samples, 0.95)),
    samples: samples.length,
  };
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else process.stderr.write(`${text}\n`);
}
