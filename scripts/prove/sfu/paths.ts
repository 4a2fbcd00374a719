// Broken paths: whatever ports a browser has open for media are closed to it from one moment to the next, as when the
// router at home forgets them. Signals go on, so that the way of the media can be mended without joining anew.
import { setTimeout as delay } from 'node:timers/promises';
import { startBrowser } from '../../../testing/browser.ts';
import { admitGuest, goLive, register } from '../../../testing/people.ts';
import { monotonicMs, type Receivers } from '../../../testing/receivers/receivers.ts';
import { untilPlaying } from '../../../testing/video.ts';
import { watch } from './audience.ts';
import { countRejoins, openWindowIn, startBrowserOn } from './browsers.ts';
import { countFrames, framesShown } from './frames.ts';
import { longestGapMs, quantile } from './gaps.ts';
import { addMachine, type Machine } from './machines.ts';
import type { People } from './people.ts';
import { mediaPort, type Product, places, workers } from './product.ts';
import { untilSteady } from './recovery.ts';
import type { Report } from './report.ts';

const p95MsMax = 2_000;
/** A picture that flowed for so long without such a gap is back. */
const steadyMs = 1_500;
const gapMsMin = 400;
const backMsMax = 15_000;
const lookEveryMs = 100;
const machineLast = 30;

export interface PathScene {
  product: Product;
  people: People;
  receivers: Receivers;
  report: Report;
}

/** Of somebody who watches. */
export async function proveViewerPaths(
  { product, report }: PathScene,
  repetitions: number,
): Promise<void> {
  const machine = await addMachine('home', machineLast);
  machine.setRules({ output: [noMediaOverTcp] });
  const [here, there] = await Promise.all([startBrowser(), startBrowserOn(machine, product)]);
  try {
    const performer = await openWindowIn(here, product, places[0].country);
    await register(performer, 'performer');
    const streamId = await goLive(performer, 'For a viewer', { picture: '480p30' });
    const viewer = await openWindowIn(there.browser, product, places[1].country);
    await admitGuest(viewer);
    await viewer.page.goto(`/watch/${streamId}`);
    await untilPlaying(viewer.page, 'webrtc');
    const rejoins = countRejoins(viewer.page);
    const gaps: number[] = [];
    for (let turn = 0; turn < repetitions; turn += 1) {
      await countFrames(viewer.page, gapMsMin);
      gaps.push(
        await gapOf(machine, async () => {
          const shown = await framesShown(viewer.page);
          return shown.steadyMs < steadyMs ? null : shown.longestGapMs;
        }),
      );
    }
    judge(report, 'path of a viewer', gaps, rejoins());
  } finally {
    await Promise.all([here.close(), there.close()]);
    machine.close();
  }
}

/** Of somebody who publishes; what counts is what somebody else gets. */
export async function provePublisherPaths(
  { product, people, receivers, report }: PathScene,
  repetitions: number,
): Promise<void> {
  const machine = await addMachine('home', machineLast);
  machine.setRules({ output: [noMediaOverTcp] });
  const there = await startBrowserOn(machine, product);
  try {
    const performer = await openWindowIn(there.browser, product, places[0].country);
    await register(performer, 'performer');
    const streamId = await goLive(performer, 'From a performer', { picture: '480p30' });
    const viewer = watch(people.nextViewer(places[1].country), streamId, receivers);
    await untilSteady([viewer]);
    const rejoins = countRejoins(performer.page);
    const gaps: number[] = [];
    for (let turn = 0; turn < repetitions; turn += 1) {
      const fromMs = monotonicMs();
      gaps.push(
        await gapOf(machine, async () => {
          const spells = await viewer.spells();
          const toMs = monotonicMs();
          const quietMsMax = gapMsMin;
          const recent = { fromMs: toMs - steadyMs, toMs, quietMsMax };
          if (toMs - fromMs < steadyMs || longestGapMs(spells, recent) > gapMsMin) return null;
          return longestGapMs(spells, { fromMs, toMs, quietMsMax });
        }),
      );
    }
    viewer.close();
    judge(report, 'path of a publisher', gaps, rejoins());
  } finally {
    await there.close();
    machine.close();
  }
}

/** Or the second best way would be taken, which stays open. */
const noMediaOverTcp = `tcp dport { ${Array.from({ length: workers }, (_, index) => mediaPort + index).join(', ')} } drop`;

/** Breaks the path and asks until there is an answer, which is the gap; Infinity when there is none in time. */
async function gapOf(machine: Machine, answer: () => Promise<number | null>): Promise<number> {
  const deadline = monotonicMs() + backMsMax;
  const ports = `{ ${machine.udpPorts().join(', ')} }`;
  machine.setRules({
    input: [`udp dport ${ports} drop`],
    output: [`udp sport ${ports} drop`, noMediaOverTcp],
  });
  while (monotonicMs() < deadline) {
    await delay(lookEveryMs);
    const gapMs = await answer();
    if (gapMs !== null) return gapMs;
  }
  return Number.POSITIVE_INFINITY;
}

function judge(report: Report, name: string, gaps: readonly number[], rejoins: number): void {
  const of = (share: number) => Math.round(quantile(gaps, share));
  const figures = { p50Ms: of(0.5), p95Ms: of(0.95), maxMs: of(1) };
  report.note(name, { repetitions: gaps.length, ...figures, rejoins });
  report.hold(`${name}: p95 of the gap in ms`, figures.p95Ms, p95MsMax);
  report.hold(`${name}: sockets and tickets that were needed`, rejoins, 0);
}
