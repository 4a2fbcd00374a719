// Tests of what players make of it: hls.js in a real browser plays on while the camera is away, and while others go.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import type { Page } from 'playwright';
import { expect, onTestFinished, test } from 'vitest';
import { controlChannel } from '#contract';
import { startBrowser } from '../testing/browser.ts';
import { startRedis } from '../testing/redis.ts';
import { type Bench, type Stream, startBench, startStream, until } from './testing/bench.ts';
import { codedH264, codedOpus } from './testing/media.ts';

interface Seen {
  seconds: number;
  frames: number;
  soundBytes: number;
  fatal: string | null;
  /** Everything that hls.js complained of. */
  errors: string[];
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
      window.seen = { fatal: null, errors: [] };
      hls.on(Hls.Events.ERROR, (_, data) => {
        window.seen.errors.push(data.details);
        if (data.fatal) window.seen.fatal = data.details;
      });
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

interface Show {
  bench: Bench;
  stream: Stream;
  page: Page;
  /** Answers of the origin that were refusals. */
  refusals: string[];
  /** Ends everything that this person holds, and tells it on Redis. */
  ban(subject: string): Promise<void>;
  /** Waits until so much has been played, and sound with it. */
  playOn(what: string, seconds: number): Promise<Seen>;
}

/** A stream that plays in a page. */
async function openShow(): Promise<Show> {
  const origin = await servePage();
  const redis = await startRedis();
  const teller = new Redis(redis.url);
  const [bench, video, audio, browser] = await Promise.all([
    startBench({ redisUrl: redis.url, env: { CLIENT_ORIGINS: origin } }),
    codedH264({ seconds: 4 }),
    codedOpus({ seconds: 4 }),
    startBrowser(),
  ]);
  const stream = await startStream(bench, { video, audio, keyframes: true });
  onTestFinished(async () => {
    await browser.close();
    await stream.close();
    await bench.close();
    teller.disconnect();
    await redis.stop();
  });
  await stream.ready();
  const page = await browser.newPage();
  const refusals: string[] = [];
  page.on('response', (response) => {
    if (response.status() >= 400) refusals.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(origin);
  await play(page, stream.url('master.m3u8'));
  await until('it plays', async () => {
    const now = await look(page);
    return now.seconds > 0 && now.frames > 30 && now;
  });

  return {
    bench,
    stream,
    page,
    refusals,
    async ban(subject) {
      const revocation = bench.edge.revoke({ kind: 'user', subject, streamId: null });
      await teller.publish(controlChannel, JSON.stringify({ type: 'revoked', revocation }));
    },
    async playOn(what, seconds) {
      const from = await look(page);
      const startedMs = performance.now();
      const seen = await until(what, async () => {
        const now = await look(page);
        if (now.fatal) throw new Error(`${what}: ${now.fatal}`);
        return now.seconds >= from.seconds + seconds && now;
      });
      expect(seen.soundBytes).toBeGreaterThan(from.soundBytes);
      // At the pace of the clock, but for what a new tap and a busy machine cost.
      expect((performance.now() - startedMs) / 1_000).toBeLessThan(2 * seconds + 4);
      return seen;
    },
  };
}

test('hls.js plays sound on while the camera pauses, leaves and comes back', {
  timeout: 90_000,
}, async () => {
  const { stream, page, playOn } = await openShow();
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

test('hls.js plays on while others are banned, and stops when its own viewer is', {
  timeout: 120_000,
}, async () => {
  const { bench, stream, page, refusals, ban, playOn } = await openShow();
  await until(
    'there is something to shorten',
    async () => (await stream.playlist('video0')).segments.length >= 15,
    40_000,
  );
  const namesOf = async () => (await stream.playlist('video0')).hintUri?.split('/')[0];
  for (const seconds of [9, 0.3, 1.1, 2.5, 9]) {
    const subject = `banned-after-${seconds}`;
    const ticket = await bench.edge.ticket(stream.id, { subject });
    const before = await namesOf();
    await fetch(stream.url('video0.m3u8').replace(stream.ticket, ticket));
    await ban(subject);
    await until('the names are others', async () => (await namesOf()) !== before);
    await playOn(`somebody was banned, ${seconds} s`, seconds);
  }
  const seen = await look(page);
  expect(refusals).toEqual([]);
  expect(seen.errors.filter((error) => /load|pars|empty|append/i.test(error))).toEqual([]);

  await ban('viewer-1');
  const bannedMs = performance.now();
  await until('it gives up', async () => (await look(page)).fatal);
  expect(refusals.every((refusal) => refusal.startsWith('401 '))).toBe(true);
  let shown = await look(page);
  let changedMs = performance.now();
  await until('the picture stands still for three seconds', async () => {
    const now = await look(page);
    if (now.frames > shown.frames) changedMs = performance.now();
    shown = now;
    return performance.now() - changedMs > 3_000;
  });
  expect(changedMs - bannedMs).toBeLessThan(10_000);
});
