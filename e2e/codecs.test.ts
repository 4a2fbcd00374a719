// A performer who sends layers inside one stream, as VP9 and AV1: viewers get the layer that they want, HLS the whole picture.
import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { admitGuest, choose, goLive, register } from '../testing/people.ts';
import { quantile, readDelays } from '../testing/pixel-clock.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { framesAdvance, soundArrives, untilPlaying } from '../testing/video.ts';

/** The encoders take most of the machine. */
const timeout = 240_000;

let product: Product;

beforeAll(async () => {
  product = await startProduct();
});
afterAll(() => product?.close());

interface Watched {
  connections: RTCPeerConnection[];
  prefer: (spatialLayer: number) => void;
  /** The page hears that nobody watches more than this layer of what it sends. */
  hearDemand: (spatialLayer: number) => void;
}

/** From the next load on the page's connections can be asked, and its layer can be chosen. */
async function openUp(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const connections: RTCPeerConnection[] = [];
    let socket: WebSocket | null = null;
    let consumerId = '';
    let producerId = '';
    const watched: Watched = {
      connections,
      prefer(spatialLayer) {
        const request = { type: 'consumer.layers', id: 999_999, temporalLayer: 2 };
        socket?.send(JSON.stringify({ ...request, consumerId, spatialLayer }));
      },
      hearDemand(spatialLayer) {
        const data = JSON.stringify({ type: 'producer.layers', producerId, spatialLayer });
        socket?.dispatchEvent(new MessageEvent('message', { data }));
      },
    };
    Reflect.set(window, 'watched', watched);
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        connections.push(this);
      }
    };
    window.WebSocket = class extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        this.addEventListener('message', ({ data }) => {
          const answer = JSON.parse(data).data ?? {};
          // The sound comes first, and the picture last.
          if (answer.producerId) {
            socket = this;
            ({ producerId } = answer);
          }
          const consumers: { kind: string; consumerId: string }[] = answer.consumers ?? [];
          const picture = consumers.find(({ kind }) => kind === 'video');
          if (!picture) return;
          socket = this;
          ({ consumerId } = picture);
        });
      }
    };
  });
}

/** Of what comes, or of what goes: the picture's height and codec. */
async function pictureOf(page: Page, way: 'inbound-rtp' | 'outbound-rtp') {
  return page.evaluate(async (way) => {
    const { connections } = Reflect.get(window, 'watched') as Watched;
    for (const connection of connections) {
      const stats = (await connection.getStats()) as ReadonlyMap<string, Record<string, unknown>>;
      for (const report of stats.values()) {
        if (report.type !== way || report.kind !== 'video' || !report.frameHeight) continue;
        const codec = stats.get(String(report.codecId))?.mimeType;
        return {
          codec,
          height: Number(report.frameHeight),
          mode: report.scalabilityMode,
        };
      }
    }
    return null;
  }, way);
}

const prefer = (page: Page, layer: number) =>
  page.evaluate((layer) => (Reflect.get(window, 'watched') as Watched).prefer(layer), layer);

const hearDemand = (page: Page, layer: number) =>
  page.evaluate((layer) => (Reflect.get(window, 'watched') as Watched).hearDemand(layer), layer);

test.each(['VP9', 'AV1'] as const)(
  '%s: one viewer gets the whole picture and one the smallest, layers can be left out, and HLS plays',
  { timeout },
  async (codec) => {
    const performer = await product.openWindow();
    await openUp(performer.page);
    await register(performer, 'performer');
    const streamId = await goLive(performer, `In ${codec}`, {
      setUp: () => choose(performer.page, `codec-${codec}`),
    });
    const patience = { timeout: 60_000 };
    const open = async (query = '') => {
      const viewer = await product.openWindow();
      await openUp(viewer.page);
      await admitGuest(viewer);
      await viewer.page.goto(`/watch/${streamId}${query}`);
      await untilPlaying(viewer.page, query ? 'hls' : 'webrtc', 60_000);
      return viewer;
    };
    const [whole, small] = [await open(), await open()];
    await prefer(small.page, 0);
    const height = async (page: Page) => (await pictureOf(page, 'inbound-rtp'))?.height;
    await expect.poll(() => height(small.page), patience).toBe(180);
    await expect.poll(() => height(whole.page), patience).toBe(720);
    expect((await pictureOf(whole.page, 'inbound-rtp'))?.codec).toBe(`video/${codec}`);
    expect((await pictureOf(performer.page, 'outbound-rtp'))?.mode).toBe('L3T3_KEY');
    await framesAdvance(whole.page, 30);
    await framesAdvance(small.page, 10);

    // With HLS somebody always wants the whole picture, so the page is told otherwise here.
    const sent = () => pictureOf(performer.page, 'outbound-rtp');
    await hearDemand(performer.page, 0);
    await expect.poll(sent, patience).toMatchObject({ mode: 'L1T3', height: 180 });
    await expect.poll(() => height(whole.page), patience).toBe(180);
    await framesAdvance(whole.page, 10);
    await hearDemand(performer.page, 2);
    await expect.poll(sent, patience).toMatchObject({ mode: 'L3T3_KEY', height: 720 });
    await expect.poll(() => height(whole.page), patience).toBe(720);
    await framesAdvance(whole.page, 10);

    // The encoders have the machine to themselves from here on.
    for (const { context } of [whole, small]) await context.close();
    const hls = await open('?transport=hls');
    await soundArrives(hls.page);
    const player = '[data-testid="player"]';
    const { delaysMs } = await readDelays(hls.page, player, { samples: 15, timeoutMs: 90_000 });
    expect(quantile(delaysMs, 0.5)).toBeLessThan(6_000);
    for (const { complaints } of [performer, whole, small, hls]) expect(complaints).toEqual([]);
    for (const { context } of [performer, hls]) await context.close();
  },
);
