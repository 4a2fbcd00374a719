import { beforeEach, describe, expect, test } from 'vitest';
import { type QualityReport, qualityReportIntervalSeconds, qualitySpanMsMax } from '#contract';
import { createManualClock, type ManualClock } from '../testing/manual-clock.ts';
import { createQualityReporter, type QualityReporter } from './quality-reporter.ts';

let clock: ManualClock;
let hidden: boolean;
let paused: boolean;
let sent: QualityReport[];
let reporter: QualityReporter;
/** What the browser has counted so far. */
let counted: {
  bytes: number;
  packets: number;
  frames: number;
  lost: number;
  freezes: number;
  frozen: number;
};
let pictureId: string;

beforeEach(() => {
  clock = createManualClock();
  hidden = false;
  paused = false;
  sent = [];
  counted = { bytes: 0, packets: 0, frames: 0, lost: 0, freezes: 0, frozen: 0 };
  pictureId = 'v1';
  reporter = createQualityReporter({
    send: (report) => sent.push(report),
    clock,
    wantedAtMs: clock.now(),
    isUnseen: () => hidden,
    random: () => 0.5,
  });
});

function statistics(): Record<string, unknown>[] {
  const { bytes, packets, frames, lost, freezes, frozen } = counted;
  return [
    { type: 'candidate-pair', nominated: false, currentRoundTripTime: 9 },
    { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.042 },
    {
      type: 'inbound-rtp',
      kind: 'audio',
      bytesReceived: 1_000,
      packetsReceived: 10,
      packetsLost: 0,
    },
    {
      ...{
        type: 'inbound-rtp',
        kind: 'video',
        id: pictureId,
        frameHeight: 720,
        framesDecoded: frames,
      },
      ...{ bytesReceived: bytes, packetsReceived: packets, packetsLost: lost },
      ...{ freezeCount: freezes, totalFreezesDuration: frozen, powerEfficientDecoder: false },
    },
  ];
}

/** Seconds in which a hundred packets come, read each second as the receiver does. */
async function watch(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    await clock.advance(1_000);
    counted.bytes += 100_000;
    counted.packets += 100;
    if (!paused) counted.frames += 30;
    reporter.read(statistics());
  }
}

test('nothing is told before there is a picture; then at once how long it took', async () => {
  await watch(2);
  expect(sent).toEqual([]);
  reporter.begun();
  await watch(1);
  expect(sent).toEqual([
    expect.objectContaining({ joinMs: 2_000, spanMs: 0, packetsReceived: 0, pictureHeight: 720 }),
  ]);
});

test('every half minute it tells what came in that half minute alone', async () => {
  reporter.begun();
  await watch(1);
  await watch(10);
  counted = { ...counted, lost: 7, freezes: 2, frozen: 1.5 };
  await watch(20);
  await watch(qualityReportIntervalSeconds);
  expect(sent.slice(1)).toEqual([
    {
      spanMs: 30_000,
      joinMs: null,
      roundTripMs: 42,
      bytesReceived: 3_000_000,
      packetsReceived: 3_000,
      packetsLost: 7,
      freezes: 2,
      frozenMs: 1_500,
      pictureHeight: 720,
      decoder: 'software',
    },
    expect.objectContaining({ joinMs: null, packetsLost: 0, freezes: 0, frozenMs: 0 }),
  ]);
});

describe('a page that nobody looks at', () => {
  test('tells nothing, and what it missed is in no later report', async () => {
    reporter.begun();
    await watch(20);
    hidden = true;
    paused = true;
    await watch(60);
    hidden = false;
    await watch(2);
    // The picture stood while nobody looked; the browser counts that when the next one is shown.
    paused = false;
    counted = { ...counted, freezes: 1, frozen: 62 };
    await watch(2);
    expect(sent).toHaveLength(1);
    await watch(30);
    expect(sent).toHaveLength(2);
    expect(sent[1]).toMatchObject({ spanMs: 30_000, frozenMs: 0, packetsReceived: 3_000 });
  });

  test('at the beginning does not tell how long a picture took', async () => {
    hidden = true;
    reporter.begun();
    hidden = false;
    await watch(2);
    expect(sent).toEqual([expect.objectContaining({ joinMs: null })]);
  });

  test('before its first picture does not tell how long that took', async () => {
    hidden = true;
    await watch(30);
    hidden = false;
    reporter.begun();
    await watch(2);
    expect(sent).toEqual([expect.objectContaining({ joinMs: null })]);
  });
});

test.each([
  ['a device that slept', () => clock.advance(qualitySpanMsMax + 1)],
  [
    'another track',
    async () => {
      pictureId = 'v2';
      counted.frozen = 10;
    },
  ],
  [
    'a count that begins again',
    async () => {
      counted = { bytes: 0, packets: 0, frames: 0, lost: 0, freezes: 0, frozen: 0 };
    },
  ],
])('%s leaves nothing to compare, and the next span is whole again', async (_, happen) => {
  reporter.begun();
  await watch(25);
  await happen();
  await watch(6);
  expect(sent).toHaveLength(1);
  await watch(30);
  expect(sent).toHaveLength(2);
  expect(sent[1]).toMatchObject({ spanMs: 30_000, packetsReceived: 3_000, frozenMs: 0 });
});

test('what the browser does not say is told as not known, and not as none', () => {
  reporter.begun();
  reporter.read([{ type: 'inbound-rtp', kind: 'video' }]);
  expect(sent[0]).toMatchObject({
    roundTripMs: null,
    freezes: null,
    frozenMs: null,
    pictureHeight: null,
    decoder: 'unknown',
  });
});

test('packets that were found again are no negative loss, and a freeze is no longer than its span', async () => {
  reporter.begun();
  counted.lost = 5;
  await watch(1);
  counted = { ...counted, lost: 2, freezes: 1, frozen: 90 };
  await watch(30);
  expect(sent[1]).toMatchObject({ packetsLost: 0, frozenMs: 30_000 });
});
