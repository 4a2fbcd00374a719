// Tests of timestamps: their wraps, and what they mean on the wall clock.
import { describe, expect, test } from 'vitest';
import { senderReport } from '../testing/rtp-sender.ts';
import { isRtcp } from './packet.ts';
import { readSenderReports, type SenderReport } from './rtcp.ts';
import { createSenderClock, createTrackClock } from './track-clock.ts';
import { createUnwrapper } from './unwrap.ts';

const startMs = Date.UTC(2030, 0, 1);
const report = (ntpMs: number, rtpTimestamp: number): SenderReport => ({
  ssrc: 1,
  ntpMs,
  rtpTimestamp,
});

test('a wrapping counter grows on, also when values come out of order', () => {
  const unwrap = createUnwrapper(32);
  const first = unwrap(2 ** 32 - 10);
  expect(unwrap(5) - first).toBe(15);
  expect(unwrap(2 ** 32 - 1) - first).toBe(9);
  expect(unwrap(20) - first).toBe(30);
});

test('a sender report says which instant a timestamp means', () => {
  const stream = { payloadType: 96, ssrc: 9, clockRate: 90_000, sequence: 0, timestampBase: 7 };
  const datagram = senderReport(stream, startMs + 1_234, 2);
  expect(isRtcp(datagram)).toBe(true);
  const [report] = readSenderReports(datagram);
  expect(report).toMatchObject({ ssrc: 9, rtpTimestamp: 180_007 });
  expect(report?.ntpMs).toBeCloseTo(startMs + 1_234, 2);
  expect(readSenderReports(datagram.subarray(0, 20))).toEqual([]);
});

describe('over a day', () => {
  const daySeconds = 24 * 3_600;

  test.each([-80, 0, 80])(
    'dates stay right and tracks together when the sender runs off by %i millionths',
    (ppm) => {
      const sender = createSenderClock();
      const sound = createTrackClock(48_000, sender);
      const pictures = createTrackClock(90_000, sender);
      const rate = 1 + ppm / 1e6;
      let worstMs = 0;
      let apartMs = 0;
      for (let second = 0; second < daySeconds; second++) {
        const nowMs = startMs + second * 1_000;
        // The sender counts from its own start; timestamps follow its clock, and wrap.
        const ntpMs = second * 1_000 * rate;
        const soundRtp = Math.round(ntpMs * 48) % 2 ** 32;
        const pictureRtp = Math.round(ntpMs * 90) % 2 ** 32;
        const delayMs = 20 + ((second * 7_919) % 60);
        const soundTicks = sound.arrived(soundRtp, nowMs + delayMs);
        const pictureTicks = pictures.arrived(pictureRtp, nowMs + delayMs + 40);
        sound.reported(report(ntpMs, soundRtp), nowMs + delayMs);
        pictures.reported(report(ntpMs, pictureRtp), nowMs + delayMs);
        worstMs = Math.max(worstMs, Math.abs(sound.wallOf(soundTicks) - nowMs));
        apartMs = Math.max(
          apartMs,
          Math.abs(sound.wallOf(soundTicks) - pictures.wallOf(pictureTicks)),
        );
      }
      expect(worstMs).toBeLessThan(100);
      expect(apartMs).toBeLessThan(2);
    },
  );

  test('dates stay right by arrival alone', () => {
    for (const ppm of [-80, 80]) {
      const clock = createTrackClock(90_000, createSenderClock());
      let worstMs = 0;
      for (let second = 0; second < daySeconds; second++) {
        const nowMs = startMs + second * 1_000;
        const rtp = Math.round(second * 90_000 * (1 + ppm / 1e6)) % 2 ** 32;
        const ticks = clock.arrived(rtp, nowMs + ((second * 7_919) % 60));
        worstMs = Math.max(worstMs, Math.abs(clock.wallOf(ticks) - nowMs));
      }
      expect(worstMs).toBeLessThan(100);
    }
  });
});

describe('a track clock', () => {
  test('before the first report trusts the earliest arrival', () => {
    const clock = createTrackClock(90_000, createSenderClock());
    clock.arrived(0, startMs + 50);
    const ticks = clock.arrived(9_000, startMs + 120);
    expect(clock.wallOf(ticks)).toBeCloseTo(startMs + 120, 0);
    expect(clock.wallOf(clock.arrived(18_000, startMs + 400))).toBeCloseTo(startMs + 220, 0);
  });

  test('lines tracks up by their reports, however late each arrives', () => {
    const sender = createSenderClock();
    const sound = createTrackClock(48_000, sender);
    const pictures = createTrackClock(90_000, sender);
    const soundTicks = sound.arrived(4_800, startMs + 130);
    const pictureTicks = pictures.arrived(9_000, startMs + 300);
    sound.reported(report(startMs + 100, 4_800), startMs + 140);
    pictures.reported(report(startMs + 100, 9_000), startMs + 310);
    expect(sound.wallOf(soundTicks)).toBeCloseTo(startMs + 100, 3);
    expect(pictures.wallOf(pictureTicks)).toBeCloseTo(startMs + 100, 3);
  });

  test('keeps tracks together when the clock of the sender is wrong', () => {
    const sender = createSenderClock();
    const sound = createTrackClock(48_000, sender);
    const pictures = createTrackClock(90_000, sender);
    const soundTicks = sound.arrived(0, startMs);
    const pictureTicks = pictures.arrived(0, startMs + 80);
    // A clock that began at zero with the machine, as some senders have it.
    sound.reported(report(5_000, 0), startMs + 20);
    pictures.reported(report(5_000, 0), startMs + 100);
    expect(sound.wallOf(soundTicks)).toBeCloseTo(startMs + 20, 3);
    expect(pictures.wallOf(pictureTicks)).toBeCloseTo(startMs + 20, 3);
  });

  test('forgets old reports when the timestamps start anew', () => {
    const clock = createTrackClock(90_000, createSenderClock());
    clock.arrived(0, startMs);
    clock.reported(report(startMs, 0), startMs);
    const ticks = clock.arrived(2_000_000_000, startMs + 1_000);
    expect(clock.wallOf(ticks)).toBeCloseTo(startMs + 1_000, 3);
  });
});
