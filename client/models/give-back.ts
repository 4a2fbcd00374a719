// Giving back: asks for unspent tokens of a purchase to be turned back into money, and follows what becomes of it.
import { computed, signal } from '@preact/signals';
import { type Refund, Returnable } from '#contract';
import { parseWhole } from './amounts.ts';
import { ApiError, messageOf } from './api-error.ts';
import type { Clock } from './clock.ts';
import { createKeyedAct } from './keyed-act.ts';
import { createPaged } from './load.ts';
import type { MoneyApi } from './money-api.ts';

/** The purchase that is asked about, and what of it the edge says can be given back. */
export type GivenBack = { gatewayPaymentId: string; title: string; returnable: Returnable };

export type GiveBackDeps = {
  money: Pick<MoneyApi, 'requestRefund' | 'refunds'>;
  clock: Clock;
  newKey: () => string;
  /** Tokens were set aside: the balance has moved. */
  onRequested: () => void;
};

type RefundRequest = { gatewayPaymentId: string; tokens: number; reason: string };

export function createGiveBack({ money, clock, newKey, onRequested }: GiveBackDeps) {
  const refunds = createPaged<Refund>(async (cursor) => {
    const page = await money.refunds(cursor);
    return { items: page.refunds, nextCursor: page.nextCursor };
  });
  const asked = signal<GivenBack | null>(null);
  const all = signal(true);
  const tokensText = signal('');
  const reason = signal('');
  const fault = signal<string | null>(null);
  const faults = signal<{ tokens?: string; reason?: string }>({});
  const done = signal<Refund | null>(null);

  const request = createKeyedAct({
    send: ({ gatewayPaymentId, ...body }: RefundRequest, key) =>
      money.requestRefund(gatewayPaymentId, body, key),
    clock,
    newKey,
  });

  /**
   * What is to be sent; null when something is missing, which is then said beside its field. All are as many
   * as were shown: when some of them are gone meanwhile it is refused, and shown anew.
   */
  function read({ gatewayPaymentId, returnable }: GivenBack): RefundRequest | null {
    const most = returnable.unspentTokens;
    const tokens = all.peek() ? most : parseWhole(tokensText.peek());
    const words = reason.peek().trim();
    const fits = tokens !== null && tokens >= 1 && tokens <= most;
    faults.value = {
      ...(!fits && { tokens: `A whole number from 1 to ${most.toLocaleString('en-IN')}.` }),
      ...(!words && { reason: 'Say in a few words why.' }),
    };
    return fits && words ? { gatewayPaymentId, tokens, reason: words } : null;
  }

  function refused(what: GivenBack, error: unknown): void {
    fault.value = messageOf(error);
    const told = Returnable.safeParse(error instanceof ApiError ? error.problem : null);
    if (!told.success) return;
    // The refusal's obstacle is that of what was asked for; where money comes back for the rest there is none.
    const obstacle = told.data.refundPaise > 0 ? null : told.data.obstacle;
    asked.value = { ...what, returnable: { ...told.data, obstacle } };
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
    busy: request.busy,
    /** What has become of the newest request for each payment. */
    newestOf: computed(() => {
      const newest = new Map<string, Refund>();
      for (const refund of refunds.items.value) {
        const known = newest.get(refund.gatewayPaymentId);
        if (!known || known.createdAt < refund.createdAt) {
          newest.set(refund.gatewayPaymentId, refund);
        }
      }
      return newest;
    }),
    begin(what: GivenBack): void {
      asked.value = what;
      all.value = true;
      tokensText.value = '';
      reason.value = '';
      fault.value = null;
      faults.value = {};
      done.value = null;
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
        await refunds.reload();
      } catch (error) {
        refused(what, error);
      }
    },
  };
}
export type GiveBack = ReturnType<typeof createGiveBack>;
