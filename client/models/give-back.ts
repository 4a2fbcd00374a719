// Giving back: asks for unspent tokens of a purchase to be turned back into money, and follows what becomes of it.
import { computed, signal } from '@preact/signals';
import type { Refund } from '#contract';
import { parseWhole } from './amounts.ts';
import { ApiError, messageOf } from './api-error.ts';
import type { Clock } from './clock.ts';
import { createKeyedAct } from './keyed-act.ts';
import { createLoaded } from './load.ts';
import type { MoneyApi } from './money-api.ts';

/** The purchase that is asked about; how many tokens it was, where that is known. */
export type Returnable = { gatewayPaymentId: string; title: string; tokens: number | null };

export type GiveBackDeps = {
  money: Pick<MoneyApi, 'requestRefund' | 'refunds'>;
  clock: Clock;
  newKey: () => string;
  /** Tokens were set aside: the balance has moved. */
  onRequested: () => void;
};

type RefundRequest = { gatewayPaymentId: string; tokens: number | null; reason: string };

export function createGiveBack({ money, clock, newKey, onRequested }: GiveBackDeps) {
  const refunds = createLoaded<Refund[]>(async () => (await money.refunds()).refunds);
  const asked = signal<Returnable | null>(null);
  const all = signal(true);
  const tokensText = signal('');
  const reason = signal('');
  const fault = signal<string | null>(null);
  const faults = signal<{ tokens?: string; reason?: string }>({});
  const done = signal<Refund | null>(null);
  /** What the edge has told of the unspent tokens of this purchase. */
  const unspentTokens = signal<number | null>(null);

  const request = createKeyedAct({
    send: ({ gatewayPaymentId, tokens, reason }: RefundRequest, key) =>
      money.requestRefund(gatewayPaymentId, { ...(tokens !== null && { tokens }), reason }, key),
    clock,
    newKey,
  });

  const tokensMax = computed(() => unspentTokens.value ?? asked.value?.tokens ?? null);

  /** What is to be sent; null when something is missing, which is then said beside its field. */
  function read(what: Returnable): RefundRequest | null {
    const tokens = all.peek() ? null : parseWhole(tokensText.peek());
    const most = tokensMax.peek();
    const isWrong = !all.peek() && (!tokens || (most !== null && tokens > most));
    const words = reason.peek().trim();
    faults.value = {
      ...(isWrong && {
        tokens: most === null ? 'A whole number of tokens.' : `A whole number from 1 to ${most}.`,
      }),
      ...(!words && { reason: 'Say in a few words why.' }),
    };
    if (isWrong || !words) return null;
    return { gatewayPaymentId: what.gatewayPaymentId, tokens, reason: words };
  }

  function refused(error: unknown): void {
    fault.value = messageOf(error);
    const unspent = error instanceof ApiError ? error.problem?.unspentTokens : null;
    if (typeof unspent === 'number') unspentTokens.value = unspent;
  }

  return {
    refunds,
    asked,
    all,
    tokensText,
    reason,
    fault,
    faults,
    done,
    tokensMax,
    busy: request.busy,
    /** What has become of the newest request for each payment. */
    newestOf: computed(() => {
      const newest = new Map<string, Refund>();
      for (const refund of refunds.value.value ?? []) {
        const known = newest.get(refund.gatewayPaymentId);
        if (!known || known.createdAt < refund.createdAt) {
          newest.set(refund.gatewayPaymentId, refund);
        }
      }
      return newest;
    }),
    begin(what: Returnable): void {
      asked.value = what;
      all.value = true;
      tokensText.value = '';
      reason.value = '';
      fault.value = null;
      faults.value = {};
      done.value = null;
      unspentTokens.value = null;
    },
    close(): void {
      asked.value = null;
    },
    async submit(): Promise<void> {
      const what = asked.peek();
      const body = what && read(what);
      if (!body) return;
      fault.value = null;
      try {
        const refund = await request.carryOut(body);
        if (!refund) return;
        done.value = refund;
        onRequested();
        await refunds.load();
      } catch (error) {
        refused(error);
      }
    },
  };
}
export type GiveBack = ReturnType<typeof createGiveBack>;
