// The payout gateway: RazorpayX over plain fetch, because the gateway's package knows no payouts.
import { z } from 'zod';
import { assert } from '#contract';
import {
  GatewayNotes,
  GatewayPaise,
  GatewayRefusal,
  keyNote,
  nullWhenRefused,
  readAnswer,
  unavailable,
} from './gateway-answer.ts';
import { createGatewayHttp } from './gateway-http.ts';
import { eachOnce, pageItemsMax, pageOf, readPages } from './gateway-pages.ts';

/** Nobody waits for a payout's answer, and one that is lost costs a second request. */
const answerTimeoutMsDefault = 20_000;
/** Beyond it a key makes a new payout: what is still in the dark by then has to be found, not asked for. */
export const payoutKeyTtlSeconds = 7 * 24 * 60 * 60;
const pennyDropPaise = 100;
/** A reference is one payout, and some more where it failed and was tried anew. */
const payoutsOfReferenceMax = 1_000;
/** Far more than come back in a month; the newest are read first. */
const reversedMax = 5_000;

const maybeText = z.string().nullable().default(null);
/** The gateway says nothing with an empty text, too. */
const saidText = maybeText.transform((text) => text || null);
const chargedPaise = GatewayPaise.nullable()
  .default(null)
  .transform((paise) => paise ?? 0);

/** A payout as RazorpayX and its webhooks show it. `reversed` can still follow `processed`. */
export const GatewayPayout = z.looseObject({
  id: z.string(),
  fund_account_id: z.string(),
  amount: GatewayPaise,
  currency: z.string(),
  status: z.enum([
    'queued',
    'pending',
    'scheduled',
    'processing',
    'processed',
    'reversed',
    'cancelled',
    'rejected',
    'failed',
  ]),
  mode: z.string(),
  /** Charged beside the amount, from `processing` on; the tax is part of it. */
  fees: chargedPaise,
  tax: chargedPaise,
  /** The bank's number; known some time after the money has left. */
  utr: saidText,
  reference_id: maybeText,
  /** To be given up by the gateway in favour of `status_details`. */
  failure_reason: saidText,
  status_details: z
    .looseObject({ reason: maybeText, description: maybeText, source: maybeText })
    .nullable()
    .default(null),
  notes: GatewayNotes,
  /** Seconds since 1970. */
  created_at: z.int(),
});
export type GatewayPayout = z.infer<typeof GatewayPayout>;

/**
 * A validation as RazorpayX and its webhooks show it. `completed` only says that the bank has
 * answered; the account is good when its `account_status` is `active`. `failed` is a technical fault.
 */
export const GatewayValidation = z.looseObject({
  id: z.string(),
  status: z.enum(['created', 'completed', 'failed']),
  fund_account: z.looseObject({ id: z.string() }),
  results: z.looseObject({
    /** `active`, `invalid`; null when the bank has not said it. */
    account_status: saidText,
    /** The name that the bank knows. */
    registered_name: saidText,
  }),
  notes: GatewayNotes,
  /** What is sent to a bank account; the bank's number says that it was. */
  amount: GatewayPaise.nullable().default(null),
  utr: saidText,
  /** Charged beside the amount, where the gateway tells it; the tax is part of it. */
  fees: chargedPaise,
  tax: chargedPaise,
  /** Seconds since 1970. */
  created_at: z.int(),
});
export type GatewayValidation = z.infer<typeof GatewayValidation>;

export type FundAccountDetails =
  | { kind: 'bank'; name: string; ifsc: string; accountNumber: string }
  | { kind: 'upi'; address: string };

/**
 * Every method throws GatewayRefusal, which is final and has the gateway's reason, or
 * `gateway-unavailable`: whether it was carried out is not known, and it is to be asked for again.
 */
export interface PayoutGateway {
  /** The same details lead to the contact that has them already. Names have 3 to 50 plain characters. */
  createContact(contact: {
    referenceId: string;
    name: string;
    type: 'vendor';
    email?: string;
  }): Promise<{ contactId: string }>;
  /** The same details lead to the fund account that has them already. */
  createFundAccount(request: {
    contactId: string;
    details: FundAccountDetails;
  }): Promise<{ fundAccountId: string }>;
  /**
   * Asks the bank whose account it is, with a rupee for a bank account and without for a UPI address.
   * Has no idempotency key: asked again, it sends another rupee.
   */
  validate(request: {
    fundAccountId: string;
    kind: FundAccountDetails['kind'];
    referenceId: string;
  }): Promise<GatewayValidation>;
  /** A validation of this account with this reference, among the newest 100. Null when there is none. */
  findValidation(filter: {
    fundAccountId: string;
    referenceId: string;
  }): Promise<GatewayValidation | null>;
  /** Null when the gateway knows none. */
  fetchValidation(gatewayValidationId: string): Promise<GatewayValidation | null>;
  /**
   * Pays. The same key, with everything else the same, is the same payout for seven days. It waits
   * in `queued` when there is too little money.
   */
  pay(request: {
    fundAccountId: string;
    amountPaise: number;
    mode: 'IMPS' | 'UPI' | 'NEFT';
    /** 4 to 36 letters, digits, `-` and `_`: a UUID. */
    idempotencyKey: string;
    /** At most 40 characters. */
    referenceId: string;
    /** What the bank statement says: at most 30 letters, digits and spaces. */
    narration: string;
  }): Promise<GatewayPayout>;
  /** Null when the gateway knows none. */
  fetchPayout(gatewayPayoutId: string): Promise<GatewayPayout | null>;
  /** The payouts with exactly this reference, newest first. */
  findPayouts(filter: { referenceId: string }): Promise<GatewayPayout[]>;
  /** Payouts asked for since a moment whose money came back, newest first, at most 5,000. */
  listReversed(filter: { since: Date }): Promise<GatewayPayout[]>;
  /** What is left in the account that is paid from, in paise. Null when the gateway does not tell it. */
  readBalance(): Promise<number | null>;
}

/** An account as RazorpayX shows it, among all of the merchant's. */
const BankingBalance = z.looseObject({ account_number: z.string(), amount: GatewayPaise });

const Made = z.object({ id: z.string() });

export function createPayoutGateway(options: {
  keyId: string;
  keySecret: string;
  /** The account that is paid from. */
  accountNumber: string;
  apiUrl: string;
  answerTimeoutMs?: number;
}): PayoutGateway {
  const http = createGatewayHttp({ answerTimeoutMs: answerTimeoutMsDefault, ...options });

  async function findPayouts({ referenceId }: { referenceId: string }): Promise<GatewayPayout[]> {
    const filter = { account_number: options.accountNumber, reference_id: referenceId };
    const { items, isWhole } = await readPages({
      pageItems: pageItemsMax,
      itemsMax: payoutsOfReferenceMax,
      readPage: (window) =>
        http.ask(pageOf(GatewayPayout), { path: '/payouts', query: { ...filter, ...window } }),
    });
    assert(isWhole, `a reference has at most ${payoutsOfReferenceMax} payouts`);
    // A gateway that ignored the filter must not make somebody else's payout look like this one.
    return eachOnce(items.filter((payout) => payout.reference_id === referenceId));
  }

  return {
    async createContact({ referenceId, name, type, email }) {
      const made = await http.ask(Made, {
        method: 'POST',
        path: '/contacts',
        body: { name, type, reference_id: referenceId, ...(email ? { email } : {}) },
      });
      return { contactId: made.id };
    },
    async createFundAccount({ contactId, details }) {
      const made = await http.ask(Made, {
        method: 'POST',
        path: '/fund_accounts',
        body: { contact_id: contactId, ...accountOf(details) },
      });
      return { fundAccountId: made.id };
    },
    validate({ fundAccountId, kind, referenceId }) {
      return http.ask(GatewayValidation, {
        method: 'POST',
        path: '/fund_accounts/validations',
        body: {
          account_number: options.accountNumber,
          fund_account: { id: fundAccountId },
          ...(kind === 'bank' ? { amount: pennyDropPaise, currency: 'INR' } : {}),
          notes: { reference_id: referenceId },
        },
      });
    },
    async findValidation({ fundAccountId, referenceId }) {
      const newest = await nullWhenRefused(
        http.ask(pageOf(GatewayValidation), {
          path: '/fund_accounts/validations',
          query: { account_number: options.accountNumber, count: pageItemsMax },
        }),
      );
      const found = newest?.find(
        ({ fund_account, notes }) =>
          fund_account.id === fundAccountId && notes.reference_id === referenceId,
      );
      return found ?? null;
    },
    fetchValidation: (gatewayValidationId) =>
      nullWhenRefused(
        http.ask(GatewayValidation, {
          path: `/fund_accounts/validations/${encodeURIComponent(gatewayValidationId)}`,
        }),
      ),
    async pay(request) {
      const { fundAccountId, amountPaise, idempotencyKey, referenceId } = request;
      assert(/^[A-Za-z0-9_-]{4,36}$/.test(idempotencyKey), 'a key that the gateway takes');
      const Asked = GatewayPayout.refine(
        (payout) => payout.fund_account_id === fundAccountId && payout.amount === amountPaise,
        'this is another payout than the one that was asked for',
      );
      try {
        return await http.ask(Asked, {
          method: 'POST',
          path: '/payouts',
          headers: { 'x-payout-idempotency': idempotencyKey },
          body: {
            account_number: options.accountNumber,
            fund_account_id: fundAccountId,
            amount: amountPaise,
            currency: 'INR',
            mode: request.mode,
            purpose: 'payout',
            queue_if_low_balance: true,
            reference_id: referenceId,
            narration: request.narration,
            notes: { [keyNote]: idempotencyKey },
          },
        });
      } catch (error) {
        if (!(error instanceof GatewayRefusal)) throw error;
        // It is final only if no earlier attempt, whose answer was lost, has made the payout.
        const known = await nullWhenRefused(findPayouts({ referenceId }));
        if (!known) throw unavailable(error);
        const made = known.find((payout) => payout.notes[keyNote] === idempotencyKey);
        if (!made) throw error;
        return readAnswer(Asked, made);
      }
    },
    fetchPayout: (gatewayPayoutId) =>
      nullWhenRefused(
        http.ask(GatewayPayout, { path: `/payouts/${encodeURIComponent(gatewayPayoutId)}` }),
      ),
    findPayouts,
    async listReversed({ since }) {
      const filter = {
        account_number: options.accountNumber,
        status: 'reversed',
        from: Math.floor(since.getTime() / 1000),
      };
      const { items } = await readPages({
        pageItems: pageItemsMax,
        itemsMax: reversedMax,
        readPage: (window) =>
          http.ask(pageOf(GatewayPayout), { path: '/payouts', query: { ...filter, ...window } }),
      });
      return eachOnce(items.filter((payout) => payout.status === 'reversed'));
    },
    async readBalance() {
      const balances = await nullWhenRefused(
        http.ask(pageOf(BankingBalance), {
          path: '/banking_balances',
          query: { count: pageItemsMax },
        }),
      );
      const own = balances?.find((one) => one.account_number === options.accountNumber);
      return own?.amount ?? null;
    },
  };
}

function accountOf(details: FundAccountDetails): object {
  if (details.kind === 'upi') return { account_type: 'vpa', vpa: { address: details.address } };
  const { name, ifsc, accountNumber: account_number } = details;
  return { account_type: 'bank_account', bank_account: { name, ifsc, account_number } };
}
