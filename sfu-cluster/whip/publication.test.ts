// Tests of WHIP with a real browser, whose page is written after RFC 9725: what it sends is seen in the room.
import type { Browser } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type BrowserPage, openPage, startPageBrowser } from '../testing/browser-page.ts';
import { useScene } from '../testing/scene.ts';

const scene = useScene();
let browser: Browser;
const pages: BrowserPage[] = [];

beforeAll(async () => {
  browser = await startPageBrowser();
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});
afterAll(() => browser?.close());

async function open(): Promise<BrowserPage> {
  const page = await openPage(browser);
  pages.push(page);
  return page;
}

const endpoint = () => `${scene.node.httpUrl}/whip`;

async function publish(wish: Partial<Parameters<BrowserPage['publish']>[0]> = {}) {
  const page = await open();
  const token = await scene.edge.ticket({ stream: scene.stream, capabilities: ['publish'] });
  const answer = await page.publish({ url: endpoint(), token, ...wish });
  return { page, answer };
}

async function watch(spatialLayer?: number): Promise<BrowserPage> {
  const page = await open();
  const ticket = await scene.edge.ticket({ stream: scene.stream, capabilities: ['subscribe'] });
  const layer = spatialLayer === undefined ? {} : { spatialLayer };
  await page.watch({ url: scene.node.socketUrl, ticket, ...layer });
  return page;
}

const plays = async (page: BrowserPage, width?: number) => {
  await expect
    .poll(() => page.seen(), { timeout: 15_000, interval: 200 })
    .toSatisfy(
      ({ framesDecoded, frameWidth }: Awaited<ReturnType<BrowserPage['seen']>>) =>
        framesDecoded > 5 && (width === undefined || frameWidth === width),
    );
};

describe.each(['H264', 'VP8'] as const)('a picture as %s', (codec) => {
  test('and sound are seen and heard by a viewer on the room socket', async () => {
    const { answer } = await publish({ codec });
    expect(answer).toMatchObject({
      status: 201,
      acceptPatch: 'application/trickle-ice-sdpfrag',
      link: null,
    });
    expect(answer.location).toMatch(/^whip\/[A-Za-z0-9_-]{43}$/);
    expect(answer.etag).toMatch(/^"[A-Za-z0-9_-]+"$/);
    const viewer = await watch();
    await plays(viewer, 960);
    const { audioPackets, codec: seen } = await viewer.seen();
    expect(audioPackets).toBeGreaterThan(0);
    expect(seen).toBe(`video/${codec}`);
    const report = await scene.edge.report(({ streams }) =>
      streams.some(
        ({ streamId, publishing, viewers }) =>
          streamId === scene.stream && publishing && viewers === 1,
      ),
    );
    const told = report.streams.find(({ streamId }) => streamId === scene.stream);
    expect(told).toMatchObject({ videoCodec: codec, viewers: 1 });
  });

  const layers = [
    { rid: 'q', scale: 4 },
    { rid: 'h', scale: 2 },
    { rid: 'f', scale: 1 },
  ];
  test.each([
    ['from the smallest up', layers],
    ['from the largest down', layers.toReversed()],
  ])('in three layers, listed %s, has the smallest as layer 0', async (_, listed) => {
    const { answer } = await publish({ codec, layers: listed });
    expect(answer.body).toContain(`a=simulcast:recv ${listed.map(({ rid }) => rid).join(';')}`);
    const [small, middle, large] = [await watch(0), await watch(1), await watch(2)];
    await plays(small, 240);
    await plays(middle, 480);
    await plays(large, 960);
  });
});
