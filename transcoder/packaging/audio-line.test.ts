// Tests of the audio line: whatever the sender does, sound goes on without holes and in its place.
import { describe, expect, test } from 'vitest';
import { audioErrorMsMax, audioSilenceAfterMs, createAudioLine } from './audio-line.ts';
import { createTimeline, timelineStartMs } from './timeline.ts';

const startMs = Date.UTC(2030, 0, 1);
const speech = Buffer.from([0xfc, 1, 2, 3]);
const packetMs = 20;

function setUp() {
  const timeline = createTimeline(startMs);
  const out: { silent: boolean; samples: number }[] = [];
  let startedAtMs: number | null = null;
  const line = createAudioLine({
    timeline,
    startedMs: startMs,
    onStart: (timeMs) => {
      startedAtMs = timeMs;
    },
    onPacket: (packet, samples) => out.push({ silent: packet !== speech, samples }),
  });
  return {
    timeline,
    out,
    line,
    /** A packet captured `ms` after the start, arriving `delayMs` later; `ticksMs` if its timestamp says otherwise. */
    speak(ms: number, more: { delayMs?: number; ticksMs?: number } = {}) {
      const { delayMs = 30, ticksMs = ms } = more;
      line.push(speech, ticksMs * 48, startMs + ms, startMs + ms + delayMs);
    },
    samples: () => out.reduce((sum, each) => sum + each.samples, 0),
    silence: () => out.filter((each) => each.silent).reduce((sum, each) => sum + each.samples, 0),
    startedAtMs: () => startedAtMs,
  };
}

test('packets in a row come out as they are, placed by the time of capture', () => {
  const { speak, out, startedAtMs } = setUp();
  for (let ms = 100; ms < 200; ms += packetMs) speak(ms);
  expect(out).toEqual(Array(5).fill({ silent: false, samples: 960 }));
  expect(startedAtMs()).toBe(timelineStartMs + 100);
});

test('lost packets are replaced by exactly as much silence', () => {
  const { speak, samples, silence } = setUp();
  speak(0);
  speak(20);
  speak(80);
  expect(silence()).toBe(2 * 960);
  expect(samples()).toBe(5 * 960);
});

test('a hole that is no multiple of a packet is filled too', () => {
  const { speak, silence } = setUp();
  speak(0);
  speak(27.5);
  expect(silence()).toBe(360);
});

describe('when nothing comes', () => {
  test('silence takes over at the pace of the clock, and speech joins in where it belongs', () => {
    const { speak, line, samples, silence } = setUp();
    for (let ms = 0; ms < 100; ms += packetMs) speak(ms, { delayMs: 0 });
    line.tick(startMs + 80 + audioSilenceAfterMs - 1);
    expect(silence()).toBe(0);
    for (let ms = 100; ms <= 1_080; ms += 10) line.tick(startMs + ms);
    expect(samples() / 48).toBeGreaterThan(1_000 - audioSilenceAfterMs);
    speak(1_100, { delayMs: 0 });
    expect(samples()).toBe((1_100 + packetMs) * 48);
  });

  test('a packet whose time has been filled with silence is left out', () => {
    const { speak, line, samples } = setUp();
    speak(0, { delayMs: 0 });
    for (let ms = 20; ms <= 600; ms += 10) line.tick(startMs + ms);
    const before = samples();
    speak(100, { delayMs: 500 });
    expect(samples()).toBe(before);
  });

  test('a track that never began begins with silence', () => {
    const { line, samples, startedAtMs } = setUp();
    for (let ms = 0; ms <= 2_000; ms += 10) line.tick(startMs + ms);
    expect(startedAtMs()).not.toBeNull();
    const reached = (startedAtMs() ?? 0) + samples() / 48 - timelineStartMs;
    expect(Math.abs(reached - (2_000 - audioSilenceAfterMs))).toBeLessThanOrEqual(packetMs);
  });
});

test('pauses of a sender that transmits discontinuously are filled in time, and no packet is left out', () => {
  const { speak, line, out, samples } = setUp();
  // Opus sends one packet in 400 ms of silence (RFC 6716, section 2.1.9).
  const sent = Array.from({ length: 300 }, (_, index) => index * packetMs).filter(
    (ms) => ms < 1_000 || ms >= 5_000 || ms % 400 === 0,
  );
  const pending = [...sent];
  const delayMs = 30;
  let furthestBehindMs = 0;
  for (let nowMs = 0; nowMs < 6_000 + delayMs; nowMs += 10) {
    while (pending[0] !== undefined && pending[0] + delayMs <= nowMs) speak(pending.shift() ?? 0);
    line.tick(startMs + nowMs);
    if (nowMs > 100) furthestBehindMs = Math.max(furthestBehindMs, nowMs - samples() / 48);
  }
  expect(out.filter(({ silent }) => !silent)).toHaveLength(sent.length);
  expect(samples()).toBe(300 * packetMs * 48);
  expect(furthestBehindMs).toBeLessThan(audioSilenceAfterMs + 3 * packetMs);
});

test('a sender whose timestamps stood still while it was muted is heard again', () => {
  const { speak, line, out, samples } = setUp();
  for (let ms = 0; ms < 100; ms += packetMs) speak(ms, { delayMs: 0 });
  for (let ms = 100; ms <= 1_000; ms += 10) line.tick(startMs + ms);
  const before = out.length;
  // The timestamps go on at 100 ms though it is 1,000 ms.
  for (let ms = 1_000; ms < 2_000; ms += packetMs) speak(ms, { delayMs: 0, ticksMs: ms - 900 });
  expect(out.slice(before).filter((each) => !each.silent).length).toBeGreaterThan(35);
  expect(Math.abs(samples() / 48 - 2_000)).toBeLessThanOrEqual(audioErrorMsMax + packetMs);
});

test('a sender whose timestamps jump goes on in its place', () => {
  const { speak, samples } = setUp();
  for (let ms = 0; ms < 100; ms += packetMs) speak(ms);
  for (let ms = 100; ms < 200; ms += packetMs) speak(ms, { ticksMs: ms + 5_000_000 });
  expect(samples()).toBe(200 * 48);
});

test('a sound card that runs fast or slow leads the timeline, and no packet is touched', () => {
  for (const skew of [0.9999, 1.0001]) {
    const { speak, timeline, silence, samples, startedAtMs } = setUp();
    const packets = 30_000;
    for (let index = 0; index < packets; index++) {
      speak(index * packetMs * skew, { ticksMs: index * packetMs });
    }
    expect(silence()).toBe(0);
    const heardMs = (startedAtMs() ?? 0) + samples() / 48;
    const capturedMs = timeline.ofWall(startMs + packets * packetMs * skew);
    expect(Math.abs(heardMs - capturedMs)).toBeLessThan(2);
  }
});

test('sound that is far off is brought back by whole packets', () => {
  const { speak, timeline, samples } = setUp();
  for (let ms = 0; ms < 200; ms += packetMs) speak(ms);
  // The first report tells that all was captured 100 ms earlier than it seemed.
  for (let ms = 200; ms < 4_000; ms += packetMs) speak(ms - 100, { ticksMs: ms, delayMs: 130 });
  const heardMs = timelineStartMs + samples() / 48;
  const capturedMs = timeline.ofWall(startMs + 3_900);
  expect(Math.abs(heardMs - capturedMs)).toBeLessThan(audioErrorMsMax);
});

test('malformed packets leave no trace but silence', () => {
  const { line, speak, out } = setUp();
  speak(0);
  line.push(Buffer.from([0xff]), 20 * 48, startMs + 20, startMs + 50);
  speak(40);
  expect(out.map((each) => each.silent)).toEqual([false, true, false]);
});
