// RazorpayX payouts: asked for once by each idempotency key, carried out by the bank, and sometimes returned.
import { z } from 'zod';
import type { Agenda } from '../agenda.ts';
import type { Clock } from '../clock.ts';
import { newEntityId, newUtr } from '../entity-id.ts';
import { createEntityStore, type ListQuery, page } from '../entity-store.ts';
import type { EventName, Publish } from '../event.ts';
import type { FaultSwitch } from '../faults.ts';
import { createIdempotencyKeys, IdempotencyKey } from '../idempotency.ts';
import { GatewayRefusal } from '../refusal.ts';
import { destinationOf, type FundAccounts } from './fund-accounts.ts';
import { checkPayoutAccount, type PayoutAccount } from './payout-account.ts';
import {
  nextSteps,
  type PayoutEntity,
  PayoutRecord,
  type PayoutStatus,
  type PayoutStep,
  payoutFeesPaise,
  payoutTaxPaise,
} from './payout-entity.ts';
import { checkMode, type PayoutRequest } from './payout-request.ts';
import { type StatusReason, statusDetails } from './status-details.ts';

const payoutsMax = 20_000;
/** RazorpayX promises to know a key for this long, and no longer. */
const keyTtlSeconds = 7 * 24 * 60 * 60;

export const PayoutsState = z.object({
  payouts: z.array(PayoutRecord),
  keys: z.array(IdempotencyKey),
});
export type PayoutsState = z.infer<typeof PayoutsState>;

export interface PayoutFilter {
  reference_id?: string | undefined;
  fund_account_id?: string | undefined;
  mode?: string | undefined;
  status?: string | undefined;
}

export type Payouts = ReturnType<typeof createPayouts>;

export function createPayouts(options: {
  state: PayoutsState;
  fundAccounts: FundAccounts;
  account: PayoutAccount;
  faults: FaultSwitch;
  agenda: Agenda;
  clock: Clock;
  publish: Publish;
}) {
  const { account, faults } = options;
  const store = createEntityStore({ max: payoutsMax, entities: options.state.payouts });
  const keys = createIdempotencyKeys({
    keys: options.state.keys,
    ttlSeconds: keyTtlSeconds,
    nowSeconds: options.clock.nowSeconds,
  });
  const queue = new Set(store.all().filter(({ payout }) => payout.status === 'queued'));

  const isAffordable = ({ amount }: { amount: number }) =>
    amount + payoutFeesPaise <= account.balancePaise;

  function tell(name: EventName, payout: PayoutEntity): void {
    options.publish({ name, payload: { payout }, about: { entityId: payout.id } });
  }

  function become(
    { payout }: PayoutRecord,
    status: PayoutStatus,
    reason: StatusReason,
    event: EventName,
  ): void {
    payout.status = status;
    payout.status_details = statusDetails(reason);
    const isLost = status === 'failed' || status === 'reversed';
    payout.failure_reason = isLost ? payout.status_details.description : null;
    tell(event, payout);
  }

  /** Hands a payout to the bank, or queues it until there is money for it. */
  function start(record: PayoutRecord): void {
    const { payout } = record;
    if (!isAffordable(payout)) {
      queue.add(record);
      become(record, 'queued', 'low_balance', 'payout.queued');
      return;
    }
    payout.fees = payoutFeesPaise;
    payout.tax = payoutTaxPaise;
    account.book(-payout.amount - payout.fees);
    become(record, 'processing', 'payout_bank_processing', 'payout.initiated');
    const { delayMs, failRate, reverseRate, holdRate } = faults.current.payouts;
    const fate = faults.draw({ failed: failRate, reversed: reverseRate, held: holdRate });
    if (fate === 'held') return;
    const steps =
      fate === 'failed' ? ['failed'] : ['processed', ...(fate === 'reversed' ? ['reversed'] : [])];
    options.agenda.add({ kind: 'payout', id: payout.id, steps, delayMs });
  }

  /** There is more money: hands out what has waited for it, first come first served, if it fits. */
  function drainQueue(): void {
    for (const record of [...queue]) {
      if (!isAffordable(record.payout)) continue;
      queue.delete(record);
      start(record);
    }
  }

  function giveBack(paise: number): void {
    account.book(paise);
    drainQueue();
  }

  /** The money leaves. */
  function execute({ payout, key }: PayoutRecord): void {
    payout.utr = newUtr();
    account.execute({
      payout_id: payout.id,
      idempotency_key: key,
      reference_id: payout.reference_id,
      fund_account_id: payout.fund_account_id,
      destination: destinationOf(options.fundAccounts.fundAccount(payout.fund_account_id)),
      amount: payout.amount,
      currency: payout.currency,
      mode: payout.mode,
      utr: payout.utr,
    });
  }

  function step(record: PayoutRecord, to: PayoutStep, reason: StatusReason | undefined): void {
    const { payout } = record;
    const from = payout.status;
    const cost = payout.amount + payout.fees;
    queue.delete(record);
    switch (to) {
      case 'processing':
        start(record);
        break;
      case 'processed':
        execute(record);
        become(record, 'processed', 'payout_processed', 'payout.processed');
        // The UTR has become known.
        tell('payout.updated', payout);
        break;
      case 'failed':
        payout.fees = 0;
        payout.tax = 0;
        become(record, 'failed', reason ?? 'beneficiary_bank_rejected', 'payout.failed');
        if (from === 'processing') giveBack(cost);
        break;
      case 'reversed':
        if (from !== 'processed') execute(record);
        account.markReturned(payout.id);
        become(record, 'reversed', reason ?? 'bank_account_closed', 'payout.reversed');
        // What failed was given back when it failed.
        if (from !== 'failed') giveBack(cost);
        break;
      case 'rejected':
        become(record, 'rejected', reason ?? 'payout_rejected', 'payout.rejected');
        break;
    }
  }

  return {
    /** @throws GatewayRefusal when the key came with another body, or the payout cannot be made. */
    create(request: PayoutRequest, idempotency: { key: string; body: unknown }): PayoutEntity {
      const known = keys.find(idempotency.key, idempotency.body);
      if (known) return store.get(known).payout;
      checkPayoutAccount(account, request.account_number);
      checkMode(request.mode, options.fundAccounts.fundAccount(request.fund_account_id));
      const isPending = faults.chance() < faults.current.payouts.approvalRate;
      if (!isPending && !request.queue_if_low_balance && !isAffordable(request)) {
        throw new GatewayRefusal(400, {
          description:
            'Your account does not have enough balance to carry out the payout operation.',
          source: 'business',
        });
      }
      const payout: PayoutEntity = {
        id: newEntityId('pout'),
        entity: 'payout',
        fund_account_id: request.fund_account_id,
        amount: request.amount,
        currency: request.currency,
        notes: request.notes,
        fees: 0,
        tax: 0,
        status: 'pending',
        purpose: request.purpose,
        utr: null,
        mode: request.mode,
        reference_id: request.reference_id,
        narration: request.narration,
        debit_account_number: request.account_number,
        batch_id: null,
        failure_reason: null,
        status_details: statusDetails('pending_approval'),
        created_at: options.clock.nowSeconds(),
        fee_type: '',
      };
      const record = { id: payout.id, key: idempotency.key, payout };
      store.add(record);
      keys.keep(idempotency.key, idempotency.body, payout.id);
      if (isPending) tell('payout.pending', payout);
      else start(record);
      return payout;
    },

    /** Takes a step; false when the payout cannot take it. */
    step(id: string, to: PayoutStep, reason?: StatusReason): boolean {
      const record = store.get(id);
      if (!nextSteps[record.payout.status].includes(to)) return false;
      step(record, to, reason);
      return true;
    },

    setBalance(paise: number): void {
      account.setBalance(paise);
      drainQueue();
    },

    payout: (id: string): PayoutEntity => store.get(id).payout,
    list(filter: PayoutFilter, query: ListQuery): PayoutEntity[] {
      const wanted = Object.entries(filter).filter(([, value]) => value !== undefined);
      const fits = (payout: PayoutEntity) =>
        wanted.every(([field, value]) => Reflect.get(payout, field) === value);
      return page(
        store
          .all()
          .map(({ payout }) => payout)
          .filter(fits),
        query,
      );
    },
    state: (): PayoutsState => ({ payouts: store.all(), keys: keys.all() }),
  };
}
