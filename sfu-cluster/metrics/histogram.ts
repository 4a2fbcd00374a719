// A histogram: counts what was observed in buckets of fixed bounds, as Prometheus wants it.
import type { Family, Labels } from './exposition.ts';

export interface Histogram {
  observe(value: number): void;
  family(): Family;
}

interface HistogramOptions {
  name: string;
  help: string;
  /** Upper bounds, growing; above the last one there is a bucket without any. */
  bounds: readonly number[];
}

export function createHistogram({ name, help, bounds }: HistogramOptions): Histogram {
  const counts = createCounts(bounds);
  return {
    observe: counts.observe,
    family: () => ({ name, help, type: 'histogram', samples: counts.samples({}) }),
  };
}

/** The same for each value of one label; all of them are there from the beginning. */
export function createHistograms<T extends string>(
  { name, help, bounds }: HistogramOptions,
  label: string,
  values: readonly T[],
): { observe(which: T, value: number): void; family(): Family } {
  const byValue = new Map(values.map((value) => [value, createCounts(bounds)]));
  return {
    observe: (which, value) => byValue.get(which)?.observe(value),
    family: () => {
      const samples = [...byValue].flatMap(([value, counts]) => counts.samples({ [label]: value }));
      return { name, help, type: 'histogram', samples };
    },
  };
}

function createCounts(bounds: readonly number[]) {
  const counts = bounds.map(() => 0);
  let sum = 0;
  let count = 0;
  return {
    observe(value: number): void {
      const bucket = bounds.findIndex((bound) => value <= bound);
      if (bucket !== -1) counts[bucket] = (counts[bucket] ?? 0) + 1;
      sum += value;
      count += 1;
    },
    samples(labels: Labels): Family['samples'] {
      let below = 0;
      const buckets = bounds.map((bound, at) => {
        below += counts[at] ?? 0;
        return { suffix: '_bucket', labels: { ...labels, le: bound }, value: below };
      });
      return [
        ...buckets,
        { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
        { suffix: '_sum', labels, value: sum },
        { suffix: '_count', labels, value: count },
      ];
    },
  };
}
