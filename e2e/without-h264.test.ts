// A performer whose browser cannot encode H264 sends VP8: WebRTC carries it as it is, HLS through x264.
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  admitGuest,
  goLive,
  type PersonInBrowser,
  register,
  withoutH264,
} from '../testing/people.ts';
import { quantile, readDelays } from '../testing/pixel-clock.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { soundArrives, untilPlaying } from '../testing/video.ts';

const player = '[data-testid="player"]';

let product: Product;
let performer: PersonInBrowser;
let streamId: string;

beforeAll(async () => {
  product = await startProduct();
  performer = await product.openWindow();
  await withoutH264(performer);
});
afterAll(() => product?.close());

test('the studio goes live with VP8', async () => {
  await register(performer, 'performer');
  streamId = await goLive(performer, 'Without H264');
  await performer.page.getByText(/\d+p VP8/).waitFor();
});

test.each(['webrtc', 'hls'] as const)(
  'a guest watches it by %s: frames go on and sound is heard',
  async (transport) => {
    const { page, context, complaints } = await product.openWindow();
    const query = transport === 'hls' ? '?transport=hls' : '';
    await admitGuest({ context });
    await page.goto(`/watch/${streamId}${query}`);
    await untilPlaying(page, transport);
    await soundArrives(page);
    const { delaysMs } = await readDelays(page, player, { samples: 30, timeoutMs: 60_000 });
    expect(quantile(delaysMs, 0.5)).toBeLessThan(transport === 'hls' ? 6_000 : 500);
    expect(complaints).toEqual([]);
    await context.close();
  },
);
