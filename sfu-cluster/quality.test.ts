// Tests of quality: true reports are counted in, others are refused, and none of them grows anything without bound.
import { beforeEach, describe, expect, test } from 'vitest';
import type { QualityReport } from '#contract';
import { renderFamilies } from './metrics/exposition.ts';
import { createQuality, type Quality, type StreamQuality } from './quality.ts';

let nowMs: number;
let quality: Quality;
let stream: StreamQuality;

beforeEach(() => {
  nowMs = 1_000;
  quality = createQuality(() => nowMs);
  stream = quality.ofStream();
});

const report = (fields: Partial<QualityReport> = {}): QualityReport => ({
  spanMs: 30_000,
  joinMs: null,
  roundTripMs: 40,
  bytesReceived: 3_000_000,
  packetsReceived: 3_000,
  packetsLost: 30,
  freezes: 1,
  frozenMs: 600,
  pictureHeight: 720,
  decoder: 'hardware',
  ...fields,
});
const first = (joinMs = 400) =>
  report({
    joinMs,
    spanMs: 0,
    ...{ bytesReceived: 0, packetsReceived: 0, packetsLost: 0, freezes: 0, frozenMs: 0 },
  });

const line = (start: string) =>
  renderFamilies(quality.families())
    .split('\n')
    .find((text) => text.startsWith(start));

describe('a true report', () => {
  test('is in the sums and histograms of the node and in those of its stream', () => {
    const viewer = stream.ofViewer();
    nowMs += 500;
    viewer.take(first());
    nowMs += 30_000;
    viewer.take(report());
    expect(line('livepanty_sfu_viewer_join_seconds_bucket{le="0.5"}')).toMatch(/ 1$/);
    expect(line('livepanty_sfu_viewer_join_seconds_bucket{le="0.3"}')).toMatch(/ 0$/);
    expect(line('livepanty_sfu_viewer_rtt_seconds_sum{measured_by="viewer"}')).toMatch(/ 0.04$/);
    expect(line('livepanty_sfu_viewer_bitrate_bps_sum{measured_by="viewer"}')).toMatch(/ 800000$/);
    expect(line('livepanty_sfu_viewer_frozen_seconds_total')).toMatch(/ 0.6$/);
    expect(line('livepanty_sfu_viewer_watched_seconds_total')).toMatch(/ 30$/);
    expect(line('livepanty_sfu_quality_reports_total{outcome="taken"}')).toMatch(/ 2$/);
    expect(stream).toMatchObject({ watchedMs: 30_000, frozenMs: 600 });
  });
});

describe('a report that cannot be true', () => {
  const untrue: [string, Partial<QualityReport>][] = [
    ['of time that has not passed', { spanMs: 60_000 }],
    ['of a picture that stood still for longer than it was watched', { frozenMs: 30_001 }],
    ['of more bytes than its packets can carry', { packetsReceived: 10 }],
    ['of a join that took longer than the socket is here', { joinMs: 59_000 }],
  ];
  test.each(untrue)('%s is refused, counted, and changes no figure', (_, fields) => {
    const viewer = stream.ofViewer();
    nowMs += 30_000;
    expect(() => viewer.take(report(fields))).toThrowError(
      expect.objectContaining({ code: 'malformed-frame' }),
    );
    expect(line('livepanty_sfu_quality_reports_total{outcome="untrue"}')).toMatch(/ 1$/);
    expect(line('livepanty_sfu_viewer_watched_seconds_total')).toMatch(/ 0$/);
    expect(stream.watchedMs).toBe(0);
  });

  test('the same time is not told twice, nor the same join', () => {
    const viewer = stream.ofViewer();
    nowMs += 30_000;
    viewer.take(report({ joinMs: 300 }));
    expect(() => viewer.take(report())).toThrow('time that has not passed');
    nowMs += 30_000;
    expect(() => viewer.take(report({ joinMs: 300 }))).toThrow('told before');
    expect(stream.watchedMs).toBe(30_000);
  });
});

test('who reports without end is refused, and may go on at the usual pace', () => {
  const viewer = stream.ofViewer();
  const many = Array.from({ length: 20 }, () => {
    try {
      viewer.take(report({ spanMs: 0, frozenMs: 0 }));
      return 'taken';
    } catch (error) {
      return (error as { code: string }).code;
    }
  });
  expect(many.filter((outcome) => outcome === 'taken').length).toBeLessThan(4);
  expect(many.at(-1)).toBe('rate-limited');
  expect(line('livepanty_sfu_quality_reports_total{outcome="too-often"}')).toMatch(/ 1\d$/);
  nowMs += 30_000;
  expect(() => viewer.take(report())).not.toThrow();
});
