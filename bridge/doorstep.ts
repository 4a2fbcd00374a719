// The doorstep: how many connections there may be, and who has shown too many wrong keys.
import { lineOf } from '#contract';
import { connectionsPerLineMax, wrongKeysMax, wrongKeysWindowMs } from './limits.ts';

export interface Doorstep {
  readonly connections: number;
  /** Takes a place for a connection; answers what gives it back, or null when there is none. */
  enter(address: string): (() => void) | null;
  countWrongKey(address: string): void;
}

/** `now` is in milliseconds and only its differences count. */
export function createDoorstep(
  connectionsMax: number,
  now: () => number = () => performance.now(),
): Doorstep {
  const lines = new Map<string, number>();
  const wrongKeys = new Map<string, { count: number; sinceMs: number }>();
  let connections = 0;

  function hasGuessed(line: string): boolean {
    const guesses = wrongKeys.get(line);
    return guesses !== undefined && !isOver(guesses) && guesses.count >= wrongKeysMax;
  }

  function isOver({ sinceMs }: { sinceMs: number }): boolean {
    return now() - sinceMs > wrongKeysWindowMs;
  }

  return {
    get connections() {
      return connections;
    },
    enter(address) {
      const line = lineOf(address);
      const already = lines.get(line) ?? 0;
      if (connections >= connectionsMax || already >= connectionsPerLineMax) return null;
      if (hasGuessed(line)) return null;
      connections += 1;
      lines.set(line, already + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        connections -= 1;
        const others = (lines.get(line) ?? 1) - 1;
        if (others > 0) lines.set(line, others);
        else lines.delete(line);
      };
    },
    countWrongKey(address) {
      // Whoever has stopped guessing is forgotten, so that the list holds those of one window.
      for (const [line, guesses] of wrongKeys) if (isOver(guesses)) wrongKeys.delete(line);
      const line = lineOf(address);
      const guesses = wrongKeys.get(line) ?? { count: 0, sinceMs: now() };
      guesses.count += 1;
      wrongKeys.set(line, guesses);
    },
  };
}
