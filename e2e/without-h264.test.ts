// A performer whose browser cannot encode H264 sends VP8: WebRTC carries it as it is, HLS through x264.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../scripts/launch/stack.ts';
import { startBrowser } from '../testing/browser.ts';
import { goLive, openWindow, type PersonInBrowser, register } from '../testing/people.ts';
import { quantile, readDelays } from '../testing/pixel-clock.ts';
import { soundArrives, untilPlaying } from '../testing/video.ts';

const player = '[data-testid="player"]';

let dataDir: string;
let stack: Stack;
let browser: Browser;
let performer: PersonInBrowser;
let streamId: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'livepanty-e2e-'));
  stack = await startStack({ dataDir, ports: 'free', disposable: true });
  browser = await startBrowser();
  performer = await openWindow(browser, stack.urls.app);
  await performer.context.addInitScript(() => {
    const native = RTCRtpSender.getCapabilities.bind(RTCRtpSender);
    RTCRtpSender.getCapabilities = (kind) => {
      const known = native(kind);
      return (
        known && {
          ...known,
          codecs: known.codecs.filter(({ mimeType }) => mimeType.toLowerCase() !== 'video/h264'),
        }
      );
    };
  });
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

test('the studio goes live with VP8', async () => {
  await register(performer, 'performer');
  streamId = await goLive(performer, 'Without H264');
  await performer.page.getByText(/\d+p VP8/).waitFor();
});

test.each(['webrtc', 'hls'] as const)(
  'a guest watches it by %s: frames go on and sound is heard',
  async (transport) => {
    const { page, context, complaints } = await openWindow(browser, stack.urls.app);
    const query = transport === 'hls' ? '?transport=hls' : '';
    await page.goto(`/watch/${streamId}${query}`);
    await untilPlaying(page, transport);
    await soundArrives(page);
    const { delaysMs } = await readDelays(page, player, { samples: 30, timeoutMs: 30_000 });
    expect(quantile(delaysMs, 0.5)).toBeLessThan(transport === 'hls' ? 6_000 : 500);
    expect(complaints).toEqual([]);
    await context.close();
  },
);
