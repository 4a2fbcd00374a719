// A bad line: a viewer in a real browser loses every twentieth packet either way, and each takes its time.
import { setTimeout as delay } from 'node:timers/promises';
import { startBrowser } from '../../../testing/browser.ts';
import { admitGuest, goLive, register } from '../../../testing/people.ts';
import { framesAdvance, untilPlaying } from '../../../testing/video.ts';
import { openWindowIn, startBrowserOn } from './browsers.ts';
import { countFrames, framesShown, pictureFigure } from './frames.ts';
import { addHostMediaAddress, addMachine } from './machines.ts';
import { mediaPort, type Product, places, workers } from './product.ts';
import type { Report } from './report.ts';
import { openSlowRelay } from './slow-relay.ts';

const lossPercent = 5;
const oneWayMs = 50;
const watchedMs = 60_000;
const shownShareMin = 0.95;
const freezeMsMax = 1_000;
const relayLast = 100;
const viewerLast = 20;
/** A picture of blocks alone would go into one packet a frame. */
const specks = 30;
/** So many frames until the browser has made up its mind how long it holds frames back. */
const settlingFrames = 150;

export async function proveBadLine(
  { product, report }: { product: Product; report: Report },
  seconds = watchedMs / 1_000,
): Promise<void> {
  const [near, far] = product.nodes;
  const address = addHostMediaAddress(relayLast);
  const ports = Array.from({ length: workers }, (_, index) => mediaPort + index);
  const relays = await Promise.all(
    ports.map((port) =>
      openSlowRelay({ address, port }, { address: far.machine.mediaAddress, port }, oneWayMs),
    ),
  );
  await far.kill();
  await far.start({ SFU_MEDIA_ANNOUNCED_ADDRESS: address });
  const machine = await addMachine('viewer', viewerLast);
  const [here, there] = await Promise.all([startBrowser(), startBrowserOn(machine, product)]);
  try {
    const performer = await openWindowIn(here, product, near.place.country);
    await register(performer, 'performer');
    const streamId = await goLive(performer, 'Over a bad line', { picture: '480p30', specks });
    const viewer = await openWindowIn(there.browser, product, places[1].country);
    await admitGuest(viewer);
    await viewer.page.goto(`/watch/${streamId}`);
    await untilPlaying(viewer.page, 'webrtc');
    const drop = `numgen random mod 100 < ${lossPercent} drop`;
    machine.setRules({
      input: [`iifname != "lo" ${drop}`],
      output: [`oifname != "lo" ${drop}`],
    });
    await framesAdvance(viewer.page, settlingFrames, 30_000);

    const sentFrames = () => pictureFigure(performer.page, 'outbound-rtp', 'framesSent');
    const received = (name: string) => pictureFigure(viewer.page, 'inbound-rtp', name);
    const names = [
      'packetsReceived',
      'packetsLost',
      'retransmittedPacketsReceived',
      'freezeCount',
      'totalFreezesDuration',
      'framesDecoded',
    ];
    const figures = () => Promise.all(names.map(received));
    const [sentBefore, before] = await Promise.all([sentFrames(), figures()]);
    await countFrames(viewer.page, freezeMsMax);
    await delay(seconds * 1_000);
    const [shown, sentAfter, after] = await Promise.all([
      framesShown(viewer.page),
      sentFrames(),
      figures(),
    ]);
    const grown = Object.fromEntries(
      names.map((name, place) => [name, (after[place] ?? 0) - (before[place] ?? 0)]),
    );
    const heightPixels = await received('frameHeight');
    const sent = sentAfter - sentBefore;
    const shownShare = Number((shown.frames / sent).toFixed(3));
    const roundTripMs = 2 * oneWayMs;
    const { longestGapMs } = shown;
    report.note('bad line', {
      ...{
        lossPercent,
        roundTripMs,
        sent,
        shown: shown.frames,
        shownShare,
        longestGapMs,
        heightPixels,
      },
      ...grown,
    });
    report.hold('bad line: share of frames not seen', 1 - shownShare, 1 - shownShareMin);
    report.hold('bad line: longest freeze in ms', longestGapMs, freezeMsMax);
  } finally {
    await Promise.all([here.close(), there.close()]);
    machine.close();
    for (const relay of relays) relay.close();
    await far.kill();
    await far.start();
  }
}
