// The HLS ticket: admits the player to the playlists, and is renewed silently before it ends.

import { type ReadonlySignal, signal } from '@preact/signals';
import { hlsTicketTtlSeconds, type TicketGrant } from '#contract';
import { ApiError, type ApiErrorCode } from './api-error.ts';
import { backoffMs, requestBackoff } from './backoff.ts';
import type { Cancel, Clock } from './clock.ts';

/** The ticket is renewed so long before it ends. */
export const renewBeforeEndMs = 60_000;
/** The least time between two renewals, whatever the clocks say. */
export const renewPauseMinMs = 1_000;
/** A stream that has no HLS version yet is asked for it at this pace. */
export const hlsPollMs = 1_500;

/** Refusals that asking again does not change. */
const finalCodes: ReadonlySet<ApiErrorCode> = new Set([
  'unauthenticated',
  'session-expired',
  'forbidden',
  'account-banned',
  'not-found',
]);

type HlsGrant = NonNullable<TicketGrant['hls']>;

export type HlsTicketDeps = {
  grant: () => Promise<TicketGrant>;
  clock: Clock;
  random?: () => number;
};

export type HlsTicket = {
  /** The multivariant playlist, without a ticket; null until the stream has an HLS version. */
  url: ReadonlySignal<string | null>;
  /** Why there are no tickets any more; null while there are. */
  refusal: ReadonlySignal<ApiErrorCode | null>;
  /** Takes in a grant that came for another reason. */
  accept(hls: TicketGrant['hls']): void;
  /** From now on keeps a valid ticket, fetching the first one if need be. */
  keep(): void;
  /** Lets the ticket run out: nobody plays HLS at the moment. */
  rest(): void;
  /** The ticket was refused, or somebody wants to try again: gets another one, unless one is on its way. */
  renewNow(): void;
  /** The address with the newest ticket in its query. */
  sign(address: string): string;
};

export function createHlsTicket({ grant, clock, random }: HlsTicketDeps): HlsTicket {
  const url = signal<string | null>(null);
  const refusal = signal<ApiErrorCode | null>(null);
  let held: (HlsGrant & { untilMs: number }) | null = null;
  let keeping = false;
  let fetching = false;
  let attempt = 0;
  let lastFetchAtMs = Number.NEGATIVE_INFINITY;
  let cancel: Cancel = () => {};

  function plan(delayMs: number): void {
    cancel();
    if (keeping) cancel = clock.after(Math.max(delayMs, 0), fetchOne);
  }

  function planRenewal(untilMs: number): void {
    plan(Math.max(untilMs - renewBeforeEndMs - clock.now(), renewPauseMinMs));
  }

  function accept(hls: TicketGrant['hls']): void {
    if (!hls) {
      plan(hlsPollMs);
      return;
    }
    // Counted from its arrival: the hour that the edge has and the hour that this device has may differ.
    held = { ...hls, untilMs: clock.now() + hlsTicketTtlSeconds * 1_000 };
    url.value = hls.url;
    refusal.value = null;
    planRenewal(held.untilMs);
  }

  function refuse(code: ApiErrorCode): void {
    cancel();
    held = null;
    refusal.value = code;
  }

  async function fetchOne(): Promise<void> {
    if (fetching) return;
    fetching = true;
    lastFetchAtMs = clock.now();
    try {
      const granted = await grant();
      attempt = 0;
      accept(granted.hls);
    } catch (error) {
      if (error instanceof ApiError && finalCodes.has(error.code)) {
        refuse(error.code);
        return;
      }
      // The old ticket goes on working until it ends; the room link says when the stream is over.
      plan(backoffMs(attempt, requestBackoff, random));
      attempt += 1;
    } finally {
      fetching = false;
    }
  }

  return {
    url,
    refusal,
    accept,
    keep(): void {
      if (keeping) return;
      keeping = true;
      if (held && held.untilMs - clock.now() > renewPauseMinMs) planRenewal(held.untilMs);
      else fetchOne();
    },
    rest(): void {
      keeping = false;
      cancel();
    },
    renewNow(): void {
      if (keeping && clock.now() - lastFetchAtMs >= renewPauseMinMs) fetchOne();
    },
    sign(address): string {
      if (!held) return address;
      const signed = new URL(address);
      signed.searchParams.set('ticket', held.ticket);
      return signed.href;
    },
  };
}
