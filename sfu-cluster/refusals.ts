// Refusals: expected noes to a socket, each with a code of the contract, and a count of them.
import type { SocketErrorCode } from '#contract';

/** Thrown by request handlers; the link turns it into an `error` frame. */
export class Refusal extends Error {
  readonly code: SocketErrorCode;

  constructor(code: SocketErrorCode, detail: string) {
    super(detail);
    this.name = 'Refusal';
    this.code = code;
  }
}

/** A refusal with this code, to be thrown. */
export function refusal(code: SocketErrorCode, detail: string): Refusal {
  return new Refusal(code, detail);
}

export interface RefusalCounter {
  count(code: SocketErrorCode): void;
  /** Counts since the start of the process, by code. */
  totals(): Partial<Record<SocketErrorCode, number>>;
}

export function createRefusalCounter(): RefusalCounter {
  const totals = new Map<SocketErrorCode, number>();
  return {
    count(code) {
      totals.set(code, (totals.get(code) ?? 0) + 1);
    },
    totals: () => Object.fromEntries(totals),
  };
}
