// The doorstep: how many connections there may be, and who has shown too many wrong keys.
import { lineOf } from '#contract';
import {
  connectionsPerLineMax,
  keylessConnectionsMax,
  wrongKeysMax,
  wrongKeysWindowMs,
} from './limits.ts';
import { createSlots } from './slots.ts';

/** Of a connection that has not shown a key yet. */
export interface KeylessPlace {
  /** Takes a place among those with a key instead; false when there is none. */
  showKey(): boolean;
  leave(): void;
}

export interface Doorstep {
  readonly connections: number;
  /**
   * Takes a place for a connection that has not shown a key; null when there is none. Where there are too many of
   * those, the oldest one gives way: `dismiss` ends it.
   */
  enter(address: string, dismiss: () => void): KeylessPlace | null;
  /** Takes a place for a connection that has; answers what gives it back, or null when there is none. */
  enterWithKey(address: string): (() => void) | null;
  countWrongKey(address: string): void;
}

/** Those without a key have places of their own. `now` is in milliseconds and only its differences count. */
export function createDoorstep(
  connectionsMax: number,
  now: () => number = () => performance.now(),
): Doorstep {
  const lines = new Map<string, number>();
  const wrongKeys = new Map<string, { count: number; sinceMs: number }>();
  /** The oldest first: what ends them. */
  const keyless = new Set<() => void>();
  const withKey = createSlots(connectionsMax);

  function hasGuessed(line: string): boolean {
    const guesses = wrongKeys.get(line);
    return guesses !== undefined && !isOver(guesses) && guesses.count >= wrongKeysMax;
  }

  function isOver({ sinceMs }: { sinceMs: number }): boolean {
    return now() - sinceMs > wrongKeysWindowMs;
  }

  function enterLine(address: string): (() => void) | null {
    const line = lineOf(address);
    const already = lines.get(line) ?? 0;
    if (already >= connectionsPerLineMax || hasGuessed(line)) return null;
    lines.set(line, already + 1);
    return () => {
      const others = (lines.get(line) ?? 1) - 1;
      if (others > 0) lines.set(line, others);
      else lines.delete(line);
    };
  }

  function makeRoom(): void {
    const [oldest] = keyless;
    if (!oldest || keyless.size < keylessConnectionsMax) return;
    keyless.delete(oldest);
    oldest();
  }

  return {
    get connections() {
      return keyless.size + withKey.taken;
    },
    enter(address, dismiss) {
      const leaveLine = enterLine(address);
      if (!leaveLine) return null;
      makeRoom();
      // Each is told from all others.
      const end = () => dismiss();
      keyless.add(end);
      let giveBack: (() => void) | null = null;
      return {
        showKey() {
          giveBack ??= keyless.delete(end) ? withKey.take() : null;
          return giveBack !== null;
        },
        leave: once(() => {
          keyless.delete(end);
          giveBack?.();
          leaveLine();
        }),
      };
    },
    enterWithKey(address) {
      const leaveLine = enterLine(address);
      const giveBack = leaveLine && withKey.take();
      if (giveBack) {
        return once(() => {
          giveBack();
          leaveLine();
        });
      }
      leaveLine?.();
      return null;
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

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
