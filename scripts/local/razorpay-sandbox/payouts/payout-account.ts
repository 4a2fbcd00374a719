// The account that payouts are paid from: its balance, and every bank transfer that really left it.
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { newEntityId } from '../entity-id.ts';
import { badField } from '../refusal.ts';

/** The number of the account, unless another one is configured. */
export const payoutAccountNumberDefault = '7878780080316316';
/** Ten lakh rupees. */
const balancePaiseDefault = 100_000_000;
const transfersMax = 50_000;

/** Money that moved: written once, and marked when it came back. */
export const BankTransfer = z.object({
  id: z.string(),
  payout_id: z.string(),
  idempotency_key: z.string(),
  reference_id: z.string().nullable(),
  fund_account_id: z.string(),
  /** A UPI address, or `account@ifsc`. */
  destination: z.string(),
  amount: z.int(),
  currency: z.string(),
  mode: z.string(),
  utr: z.string(),
  executed_at: z.int(),
  returned: z.boolean(),
  returned_at: z.int().nullable(),
});
export type BankTransfer = z.infer<typeof BankTransfer>;

export const PayoutAccountState = z.object({
  balancePaise: z.int(),
  transfers: z.array(BankTransfer),
});
export type PayoutAccountState = z.infer<typeof PayoutAccountState>;

export const newPayoutAccountState: PayoutAccountState = {
  balancePaise: balancePaiseDefault,
  transfers: [],
};

export interface TransferFilter {
  payout_id?: string | undefined;
  reference_id?: string | undefined;
  fund_account_id?: string | undefined;
}

export interface PayoutAccount {
  readonly number: string;
  readonly balancePaise: number;
  setBalance(balancePaise: number): void;
  /** Moves the balance by this. */
  book(paise: number): void;
  execute(
    transfer: Omit<BankTransfer, 'id' | 'executed_at' | 'returned' | 'returned_at'>,
  ): BankTransfer;
  /** The transfer of this payout came back. */
  markReturned(payoutId: string): void;
  transfers(filter: TransferFilter): BankTransfer[];
  state(): PayoutAccountState;
}

export function createPayoutAccount(options: {
  number: string;
  state: PayoutAccountState;
  clock: Clock;
}): PayoutAccount {
  const transfers = [...options.state.transfers];
  const byPayout = new Map(transfers.map((transfer) => [transfer.payout_id, transfer]));
  let balancePaise = options.state.balancePaise;
  return {
    number: options.number,
    get balancePaise() {
      return balancePaise;
    },
    setBalance(paise) {
      balancePaise = paise;
    },
    book(paise) {
      balancePaise += paise;
    },
    execute(transfer) {
      const executed: BankTransfer = {
        id: newEntityId('bank'),
        ...transfer,
        executed_at: options.clock.nowSeconds(),
        returned: false,
        returned_at: null,
      };
      transfers.push(executed);
      byPayout.set(executed.payout_id, executed);
      if (transfers.length > transfersMax) byPayout.delete(transfers.shift()?.payout_id ?? '');
      return executed;
    },
    markReturned(payoutId) {
      const transfer = byPayout.get(payoutId);
      if (!transfer || transfer.returned) return;
      transfer.returned = true;
      transfer.returned_at = options.clock.nowSeconds();
    },
    transfers(filter) {
      const wanted = Object.entries(filter).filter(([, value]) => value !== undefined);
      return transfers.filter((transfer) =>
        wanted.every(([field, value]) => Reflect.get(transfer, field) === value),
      );
    },
    state: () => ({ balancePaise, transfers }),
  };
}

/** @throws GatewayRefusal when a request names another account. */
export function checkPayoutAccount(account: PayoutAccount, number: string): void {
  if (number !== account.number) {
    throw badField('account_number', 'The RazorpayX Account number is invalid.');
  }
}
