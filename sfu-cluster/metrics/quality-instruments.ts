// Quality instruments: histograms and sums of how well viewers see, for all streams of a node together.
import { Decoder, type QualityReport } from '#contract';
import { counter, type Family } from './exposition.ts';
import { createHistogram, createHistograms } from './histogram.ts';

const outcomes = ['taken', 'untrue', 'too-often'] as const;
const measurers = ['viewer', 'node'] as const;

const joinOptions = {
  name: 'livepanty_sfu_viewer_join_seconds',
  help: 'From the joined socket to the first picture, as viewers report.',
  bounds: [0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20],
};
const roundTripOptions = {
  name: 'livepanty_sfu_viewer_rtt_seconds',
  help: 'Round trip to viewers: as they report, and as the node measures by RTCP.',
  bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2],
};
const lossOptions = {
  name: 'livepanty_sfu_viewer_loss_ratio',
  help: 'Share of packets lost on the way to viewers, 0 to 1.',
  bounds: [0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
};
const bitrateOptions = {
  name: 'livepanty_sfu_viewer_bitrate_bps',
  help: 'Bits per second that viewers receive, or are sent.',
  bounds: [100e3, 250e3, 500e3, 1e6, 1.5e6, 2e6, 3e6, 5e6, 8e6],
};
const freezeOptions = {
  name: 'livepanty_sfu_viewer_freeze_ratio',
  help: 'Share of the time of a report for which the picture stood still, 0 to 1.',
  bounds: [0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5],
};
const heightOptions = {
  name: 'livepanty_sfu_viewer_picture_height_pixels',
  help: 'Height of the picture that viewers see.',
  bounds: [180, 240, 360, 480, 720, 1080, 1440],
};
const scoreOptions = {
  name: 'livepanty_sfu_viewer_score',
  help: "mediasoup's score of the picture that viewers are sent, 0 to 10.",
  bounds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
};

/** What the node has measured of the way to one viewer. */
export interface ViewerSample {
  roundTripMs: number | null;
  lossShare: number;
  bitrateBps: number;
  score: number;
}

export interface QualityInstruments {
  taken(report: QualityReport): void;
  refused(outcome: Exclude<(typeof outcomes)[number], 'taken'>): void;
  sampled(sample: ViewerSample): void;
  families(): Family[];
}

export function createQualityInstruments(): QualityInstruments {
  const join = createHistogram(joinOptions);
  const roundTrip = createHistograms(roundTripOptions, 'measured_by', measurers);
  const loss = createHistograms(lossOptions, 'measured_by', measurers);
  const bitrate = createHistograms(bitrateOptions, 'measured_by', measurers);
  const freezeShare = createHistogram(freezeOptions);
  const height = createHistogram(heightOptions);
  const score = createHistogram(scoreOptions);
  const byOutcome = createTally(outcomes);
  const byDecoder = createTally(Decoder.options);
  const sums = { watchedMs: 0, frozenMs: 0, freezes: 0 };
  return {
    taken(report) {
      byOutcome.add('taken');
      if (report.joinMs !== null) join.observe(report.joinMs / 1000);
      // What only tells of the beginning has nothing to say of the rest.
      if (report.spanMs === 0) return;
      byDecoder.add(report.decoder);
      const sent = report.packetsReceived + report.packetsLost;
      if (report.roundTripMs !== null) roundTrip.observe('viewer', report.roundTripMs / 1000);
      if (sent > 0) loss.observe('viewer', report.packetsLost / sent);
      bitrate.observe('viewer', (report.bytesReceived * 8_000) / report.spanMs);
      if (report.frozenMs !== null) {
        sums.watchedMs += report.spanMs;
        sums.frozenMs += report.frozenMs;
        sums.freezes += report.freezes ?? 0;
        freezeShare.observe(report.frozenMs / report.spanMs);
      }
      if (report.pictureHeight !== null) height.observe(report.pictureHeight);
    },
    refused: byOutcome.add,
    sampled(sample) {
      if (sample.roundTripMs !== null) roundTrip.observe('node', sample.roundTripMs / 1000);
      loss.observe('node', sample.lossShare);
      bitrate.observe('node', sample.bitrateBps);
      score.observe(sample.score);
    },
    families: () => [
      ...[join, roundTrip, loss, bitrate, freezeShare, height, score].map((one) => one.family()),
      ...sumFamilies(sums),
      counter(
        'livepanty_sfu_viewer_decoder_reports_total',
        'Reports by what decodes.',
        byDecoder.entries('decoder'),
      ),
      counter(
        'livepanty_sfu_quality_reports_total',
        'Reports of viewers by what became of them.',
        byOutcome.entries('outcome'),
      ),
    ],
  };
}

function sumFamilies(sums: { watchedMs: number; frozenMs: number; freezes: number }): Family[] {
  return [
    counter(
      'livepanty_sfu_viewer_watched_seconds_total',
      'Time that viewers report to have watched, as far as their browsers know of freezes.',
      sums.watchedMs / 1000,
    ),
    counter(
      'livepanty_sfu_viewer_frozen_seconds_total',
      'Part of it for which the picture stood still.',
      sums.frozenMs / 1000,
    ),
    counter('livepanty_sfu_viewer_freezes_total', 'How often it did.', sums.freezes),
  ];
}

/** Counts of a few known kinds, each there from the beginning. */
function createTally<T extends string>(kinds: readonly T[]) {
  const counts = new Map(kinds.map((kind) => [kind, 0]));
  return {
    add(kind: T): void {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    },
    entries: (label: string): [Record<string, string>, number][] =>
      [...counts].map(([kind, count]) => [{ [label]: kind }, count]),
  };
}
