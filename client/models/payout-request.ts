// Asking for a payout: an amount, what of it arrives, and sending it once.
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { Payout, PayoutOverview } from '#contract';
import { inRupees, parseRupees, rupeesText } from './amounts.ts';
import { hasCode, isTransient, messageOf } from './api-error.ts';
import type { Clock } from './clock.ts';
import { createKeyedAct } from './keyed-act.ts';
import type { MoneyApi } from './money-api.ts';

const basisPoints = 10_000;

export type PayoutRequestDeps = {
  money: Pick<MoneyApi, 'requestPayout'>;
  overview: ReadonlySignal<PayoutOverview | null>;
  clock: Clock;
  newKey: () => string;
  /** The books have moved, or may have. */
  onAsked: () => Promise<unknown>;
};

/** In basis points: the rate of the law that is theirs, with a PAN on file or without. */
export function tdsRateOf({ panMask, tax }: Pick<PayoutOverview, 'panMask' | 'tax'>): number {
  return panMask === null ? tax.rateWithoutPanBp : tax.rateWithPanBp;
}

/**
 * What arrives of an amount, as the edge reckons it: the tax that is kept back is rounded in the performer's
 * favour, and there is none while a year's payouts stay below its threshold, for whoever has given a PAN.
 */
export function previewOf(amountPaise: number, overview: Pick<PayoutOverview, 'panMask' | 'tax'>) {
  const { thresholdPaise, yearPaise } = overview.tax;
  const isFree = overview.panMask !== null && yearPaise + amountPaise <= thresholdPaise;
  const rateBp = isFree ? 0 : tdsRateOf(overview);
  const tdsPaise = Math.floor((amountPaise * rateBp) / basisPoints);
  return { amountPaise, tdsPaise, netPaise: amountPaise - tdsPaise };
}
export type PayoutPreview = ReturnType<typeof previewOf>;

/** In paise: the most that the account is sent at once. */
function netMaxOf({ maxNetPaise }: PayoutOverview): number {
  return maxNetPaise ?? Number.POSITIVE_INFINITY;
}

/** In paise: everything that is available, or as much of it as can be sent at once. */
function mostOf(overview: PayoutOverview): number {
  const { availablePaise } = overview;
  const netMaxPaise = netMaxOf(overview);
  if (previewOf(availablePaise, overview).netPaise <= netMaxPaise) return availablePaise;
  // With tax, or without where so much is free of it.
  const taxed = Math.floor((netMaxPaise * basisPoints) / (basisPoints - tdsRateOf(overview)));
  return previewOf(taxed, overview).netPaise <= netMaxPaise ? taxed : netMaxPaise;
}

/** Why this amount cannot be asked for, in a few words; null when it can. */
function obstacleTo(text: string, overview: PayoutOverview | null): string | null {
  if (!overview || text.trim() === '') return 'Enter an amount.';
  const amountPaise = parseRupees(text);
  if (amountPaise === null) return 'An amount in rupees, such as 1500 or 1500.50.';
  if (amountPaise < overview.minPaise) {
    return `The smallest payout is ${inRupees(overview.minPaise)}.`;
  }
  if (amountPaise > overview.availablePaise) {
    return `Only ${inRupees(overview.availablePaise)} is available.`;
  }
  return previewOf(amountPaise, overview).netPaise > netMaxOf(overview)
    ? `At most ${inRupees(netMaxOf(overview))} can be sent to your account at once, after tax. Ask for the rest later, or add a bank account.`
    : null;
}

export function createPayoutRequest(deps: PayoutRequestDeps) {
  const { overview } = deps;
  const amountText = signal('');
  const wasTried = signal(false);
  const refusal = signal<string | null>(null);
  const needsProof = signal(false);
  const done = signal<Payout | null>(null);
  const act = createKeyedAct({
    send: (amountPaise: number, key) => deps.money.requestPayout({ amountPaise }, key),
    clock: deps.clock,
    newKey: deps.newKey,
  });
  const obstacle = computed(() => obstacleTo(amountText.value, overview.value));

  return {
    amountText,
    obstacle,
    refusal,
    /** True when a second factor was wanted and not shown; asking again asks for it again. */
    needsProof,
    done,
    busy: act.busy,
    /** Said beside the field once somebody has tried, or has typed something that cannot be. */
    amountFault: computed(() =>
      wasTried.value || amountText.value.trim() !== '' ? obstacle.value : null,
    ),
    preview: computed<PayoutPreview | null>(() => {
      const amountPaise = parseRupees(amountText.value);
      if (obstacle.value !== null || amountPaise === null || !overview.value) return null;
      return previewOf(amountPaise, overview.value);
    }),
    /** Everything that is available, as far as it can be sent at once. */
    takeAll(): void {
      const known = overview.peek();
      amountText.value = rupeesText(known ? mostOf(known) : 0);
    },
    async submit(): Promise<void> {
      wasTried.value = true;
      const amountPaise = parseRupees(amountText.peek());
      if (obstacle.peek() !== null || amountPaise === null) return;
      refusal.value = null;
      needsProof.value = false;
      done.value = null;
      try {
        const payout = await act.carryOut(amountPaise);
        if (!payout) return;
        done.value = payout;
        amountText.value = '';
        wasTried.value = false;
      } catch (error) {
        refusal.value = isTransient(error)
          ? `${messageOf(error)} Nothing is paid twice: look below whether it was taken, or send the same amount again.`
          : messageOf(error);
        needsProof.value = hasCode(error, 'step-up-needed');
      }
      await deps.onAsked();
    },
  };
}
export type PayoutRequest = ReturnType<typeof createPayoutRequest>;
