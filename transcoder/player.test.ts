// Test of what players make of it: hls.js in a real browser plays on while the camera is away.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright';
import { expect, onTestFinished, test } from 'vitest';
import { startBrowser } from '../testing/browser.ts';
import { redisUrl } from '../testing/services.ts';
import { startBench, startStream, until } from './testing/bench.ts';
import { codedH264, codedOpus } from './testing/media.ts';

interface Seen {
  seconds: number;
  frames: number;
  soundBytes: number;
  fatal: string | null;
}

/** A page of its own origin with hls.js in it. */
async function servePage(): Promise<string> {
  const library = await readFile(new URL(import.meta.resolve('hls.js/dist/hls.min.js')));
  const server = createServer((request, response) => {
    const isPage = request.url === '/';
    response.writeHead(200, { 'content-type': isPage ? 'text/html' : 'text/javascript' });
    response.end(isPage ? '<video></video><script src="/hls.js"></script>' : library);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Plays as our client does; its state is kept where `look` finds it. */
function play(page: Page, url: string): Promise<void> {
  return page.evaluate(
    `(() => {
      const video = document.querySelector('video');
      const hls = new Hls({ lowLatencyMode: true, liveDurationInfinity: true, maxLiveSyncPlaybackRate: 1.2 });
      window.seen = { fatal: null };
      hls.on(Hls.Events.ERROR, (_, data) => { if (data.fatal) window.seen.fatal = data.details; });
      hls.loadSource(${JSON.stringify(url)});
      hls.attachMedia(video);
      return video.play();
    })()`,
  );
}

function look(page: Page): Promise<Seen> {
  return page.evaluate(
    `(() => {
      const video = document.querySelector('video');
      return {
        ...window.seen,
        seconds: video.currentTime,
        frames: video.getVideoPlaybackQuality().totalVideoFrames,
        soundBytes: video.webkitAudioDecodedByteCount,
      };
    })()`,
  );
}

test('hls.js plays sound on while the camera pauses, leaves and comes back', {
  timeout: 90_000,
}, async () => {
  const origin = await servePage();
  const [bench, video, audio, browser] = await Promise.all([
    startBench({ redisUrl: redisUrl(), env: { CLIENT_ORIGINS: origin } }),
    codedH264({ seconds: 4 }),
    codedOpus({ seconds: 4 }),
    startBrowser(),
  ]);
  const stream = await startStream(bench, { video, audio, keyframes: true });
  onTestFinished(async () => {
    await browser.close();
    await stream.close();
    await bench.close();
  });
  await stream.ready();
  const page = await browser.newPage();
  await page.goto(origin);
  await play(page, stream.url('master.m3u8'));

  /** Waits until so much has been played, and sound with it. */
  const playOn = async (what: string, seconds: number): Promise<Seen> => {
    const from = await look(page);
    const startedMs = performance.now();
    const seen = await until(what, async () => {
      const now = await look(page);
      if (now.fatal) throw new Error(`${what}: ${now.fatal}`);
      return now.seconds >= from.seconds + seconds && now;
    });
    expect(seen.soundBytes).toBeGreaterThan(from.soundBytes);
    // At the pace of the clock, but for what a new tap and a busy machine cost.
    expect((performance.now() - startedMs) / 1_000).toBeLessThan(1.5 * seconds + 3);
    return seen;
  };

  await until('it plays', async () => {
    const now = await look(page);
    return now.seconds > 0 && now.frames > 30 && now;
  });
  stream.publisher.muteVideo(true);
  await playOn('the camera pauses', 3);
  stream.sfu.setSources(['microphone']);
  await until('a second tap', () => stream.sfu.counts.taps === 2);
  const away = await playOn('the camera has left', 3);
  stream.publisher.muteVideo(false);
  stream.sfu.setSources(['microphone', 'camera']);
  await until('a third tap', () => stream.sfu.counts.taps === 3);
  await until('pictures move again', async () => (await look(page)).frames > away.frames + 60);
  await playOn('the camera is back', 2);
});
