// The report of a proof: what was found, against the bounds that it is to keep.
import { loadavg } from 'node:os';

export interface Report {
  /** Notes figures under a name, and prints them. */
  note(name: string, figures: Record<string, unknown>): void;
  /** Notes a fault unless `value` is at most `bound`. */
  hold(what: string, value: number, bound: number): void;
  fault(what: string): void;
  readonly faults: readonly string[];
  readonly figures: Record<string, unknown>;
}

export function createReport(): Report {
  const faults: string[] = [];
  const figures: Record<string, unknown> = {};
  return {
    faults,
    figures,
    note(name, found) {
      const load = Number(loadavg()[0]?.toFixed(1));
      figures[name] = { ...found, load };
      console.error(`${name}: ${JSON.stringify(figures[name])}`);
    },
    hold(what, value, bound) {
      if (value <= bound) return;
      this.fault(`${what}: ${value} instead of at most ${bound}`);
    },
    fault(what) {
      faults.push(what);
      console.error(`MISSED ${what}`);
    },
  };
}
