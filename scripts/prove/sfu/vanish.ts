// Vanishing: the machine of the node to which everybody is connected is gone from one moment to the next, without a word,
// as when its power or its line fails. Performer and viewers are real browsers, and nobody refuses their connections.
import { setTimeout as delay } from 'node:timers/promises';
import { startBrowser } from '../../../testing/browser.ts';
import { admitGuest, goLive, register } from '../../../testing/people.ts';
import { monotonicMs } from '../../../testing/receivers/receivers.ts';
import { untilPlaying } from '../../../testing/video.ts';
import { openWindowIn } from './browsers.ts';
import { countFrames, framesShown } from './frames.ts';
import { quantile } from './gaps.ts';
import { type Node, type Product, places } from './product.ts';
import { untilReady } from './ready.ts';
import type { Report } from './report.ts';

const p95MsMax = 8_000;
/** A shorter one is none: nothing was cut. */
const gapMsLeast = 1_000;
const backMsMax = 25_000;
const readyMsMax = 30_000;
const forgottenMsMax = 60_000;
/** A picture that flowed for so long without such a gap is back. */
const steadyMs = 2_000;
const gapMsMin = 400;
const lookEveryMs = 100;
const nothing = ['iifname != "lo" drop'];
const nowhere = ['oifname != "lo" drop'];

export async function proveVanishing(
  { product, report }: { product: Product; report: Report },
  repetitions: number,
): Promise<void> {
  const browser = await startBrowser();
  try {
    const performer = await openWindowIn(browser, product, places[0].country);
    await register(performer, 'performer');
    const streamId = await goLive(performer, 'On a machine that vanishes', { picture: '480p30' });
    const viewers = await Promise.all(
      places.map(async ({ country }) => {
        const viewer = await openWindowIn(browser, product, country);
        await admitGuest(viewer);
        await viewer.page.goto(`/watch/${streamId}`);
        await untilPlaying(viewer.page, 'webrtc');
        return viewer.page;
      }),
    );
    const gaps: number[] = [];
    for (let turn = 0; turn < repetitions; turn += 1) {
      const node = await publishingNode(product, streamId);
      await Promise.all(viewers.map((page) => countFrames(page, gapMsMin)));
      node.machine.setRules({ input: nothing, output: nowhere });
      const deadline = monotonicMs() + backMsMax;
      gaps.push(
        ...(await Promise.all(
          viewers.map(async (page) => {
            // It is noticed first.
            await delay(steadyMs);
            while (monotonicMs() < deadline) {
              const shown = await framesShown(page);
              if (shown.steadyMs >= steadyMs) return shown.longestGapMs;
              await delay(lookEveryMs);
            }
            return Number.POSITIVE_INFINITY;
          }),
        )),
      );
      node.machine.setRules({});
      await untilReady(node.url, readyMsMax);
    }
    const of = (share: number) => Math.round(quantile(gaps, share));
    const figures = { p50Ms: of(0.5), p95Ms: of(0.95), maxMs: of(1) };
    report.note('machine vanishes', { repetitions, viewers: viewers.length, ...figures });
    report.hold('machine vanishes: p95 of the gap in ms', figures.p95Ms, p95MsMax);
    const untouched = gaps.filter((gapMs) => gapMs < gapMsLeast).length;
    report.hold('machine vanishes: viewers who noticed nothing', untouched, 0);
  } finally {
    await browser.close();
  }
}

/** The node to which the performer sends; one that was away may believe for a while that it still is that. */
async function publishingNode({ nodes }: Product, streamId: string): Promise<Node> {
  const deadline = monotonicMs() + forgottenMsMax;
  while (monotonicMs() < deadline) {
    const rooms = await Promise.all(nodes.map(async (node) => (await node.stats()).rooms));
    const publishing = nodes.filter((_, index) =>
      rooms[index]?.some((room) => room.streamId === streamId && room.publishing),
    );
    const [only] = publishing;
    if (only && publishing.length === 1) return only;
    await delay(lookEveryMs);
  }
  throw new Error('not one node alone publishes');
}
