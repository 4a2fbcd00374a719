// Results of the rounds: medians, how far rounds lie apart, and what they say of two peers.
import { quantile } from '../../testing/pixel-clock.ts';
import { type Pace, packetsPerSecondAt } from '../../testing/receivers/plain-source.ts';
import type { Sample } from './rounds.ts';

export interface Load {
  peer: string;
  bitrateBps: number;
  viewers: number;
  /** Of the source; evenly when it does not say. */
  pace?: Pace;
}

export type Results = ReturnType<typeof createResults>;

const median = (values: readonly number[]) => quantile(values, 0.5);
const rounded = (value: number) => Number(value.toFixed(3));

export function nameOf(load: Load): string {
  return `${load.peer}, ${load.viewers} viewers at ${rateOf(load)}`;
}

function rateOf({ bitrateBps, pace }: Load): string {
  return `${bitrateBps / 1_000} kbit/s${pace === 'frames' ? ', frames at once' : ''}`;
}

export function createResults() {
  /** In the order of the rounds. */
  const all = new Map<string, { load: Load; samples: Sample[] }>();

  function costs(load: Load): number[] {
    const samples = all.get(nameOf(load))?.samples ?? [];
    return samples.map(({ packetsPerCpuSecond }) => packetsPerCpuSecond);
  }

  /** One figure for each peer, rate and number of viewers. */
  function table(figureOf: (samples: readonly Sample[]) => number) {
    const peers: Record<string, Record<string, Record<string, number>>> = {};
    for (const { load, samples } of all.values()) {
      peers[load.peer] ??= {};
      const rates = peers[load.peer] ?? {};
      const rate = rateOf(load);
      rates[rate] = { ...rates[rate], [load.viewers]: figureOf(samples) };
    }
    return peers;
  }

  const costsOf = (samples: readonly Sample[]) =>
    samples.map(({ packetsPerCpuSecond }) => packetsPerCpuSecond);

  return {
    add(load: Load, sample: Sample): void {
      const known = all.get(nameOf(load));
      if (known) known.samples.push(sample);
      else all.set(nameOf(load), { load, samples: [sample] });
    },
    /** By the best that the peer has done so far. */
    expectedCpuShare({ peer, bitrateBps, viewers }: Load): number {
      const known = [...all.values()].filter(({ load }) => load.peer === peer);
      const best = Math.max(...known.map(({ samples }) => median(costsOf(samples))));
      return (viewers * packetsPerSecondAt(bitrateBps)) / best;
    },
    /** Round by round, so that a slow moment of the machine is no difference; null when one was not measured. */
    ratio(peer: string, other: string, at: Omit<Load, 'peer'>): number | null {
      const ours = costs({ peer, ...at });
      const theirs = costs({ peer: other, ...at });
      if (ours.length === 0 || theirs.length === 0) return null;
      return rounded(median(ours.map((cost, round) => cost / (theirs[round] ?? Number.NaN))));
    },
    viewersPerCore(peer: string, at: Omit<Load, 'peer'>): number {
      const samples = all.get(nameOf({ peer, ...at }))?.samples ?? [];
      return Math.round(median(samples.map(({ cpuShare }) => at.viewers / cpuShare)));
    },
    medians: () => table((samples) => Math.round(median(costsOf(samples)))),
    /** What is to be known of the figures before they are believed. */
    quality() {
      const samples = [...all.values()].flatMap((one) => one.samples);
      return {
        /** From the least to the most of the rounds, as a share of their median. */
        spreadShare: table((these) => {
          const values = costsOf(these);
          return rounded((Math.max(...values) - Math.min(...values)) / median(values));
        }),
        lostShare: table((these) => rounded(median(these.map(({ lostShare }) => lostShare)))),
        paceShare: table((these) => rounded(median(these.map(({ paceShare }) => paceShare)))),
        othersBusyCores: rounded(median(samples.map(({ others }) => others))),
      };
    },
    barsOf(bitrateBps: number): Record<string, number> {
      const these = [...all.values()].filter(
        ({ load }) => load.bitrateBps === bitrateBps && load.pace !== 'frames',
      );
      return Object.fromEntries(
        these.map(({ load, samples }) => [
          `${load.viewers} ${load.peer}`,
          Math.round(median(costsOf(samples))),
        ]),
      );
    },
  };
}
