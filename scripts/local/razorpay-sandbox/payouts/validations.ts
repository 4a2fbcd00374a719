// RazorpayX account validation: a penny is dropped into a fund account, and its bank tells whose it is.
import { z } from 'zod';
import type { Agenda } from '../agenda.ts';
import type { Clock } from '../clock.ts';
import { newEntityId, newUtr } from '../entity-id.ts';
import { createEntityStore, type ListQuery, page } from '../entity-store.ts';
import type { Publish } from '../event.ts';
import type { FaultSwitch } from '../faults.ts';
import { Notes, parseInteger, parseNotes, requireText } from '../fields.ts';
import { badField } from '../refusal.ts';
import type { Contacts } from './contacts.ts';
import { FundAccountEntity, type FundAccounts } from './fund-accounts.ts';
import { checkPayoutAccount, type PayoutAccount } from './payout-account.ts';

const validationsMax = 20_000;
const amountPaiseDefault = 100;
const amountPaiseMax = 200;
const feePaise = 200;
const taxPaise = 36;

const Results = z.object({
  account_status: z.enum(['active', 'invalid', '']).nullable(),
  registered_name: z.string().nullable(),
  details: z.string().nullable(),
  name_match_score: z.int().nullable(),
});

export const ValidationEntity = z.object({
  id: z.string(),
  entity: z.literal('fund_account.validation'),
  fund_account: FundAccountEntity,
  status: z.enum(['created', 'completed', 'failed']),
  /** Null for a UPI address, which is only looked up. */
  amount: z.int().nullable(),
  currency: z.string().nullable(),
  /** Charged beside the amount once the bank has answered; the tax is part of it. */
  fees: z.int().default(0),
  tax: z.int().default(0),
  notes: Notes,
  results: Results,
  created_at: z.int(),
  utr: z.string().nullable(),
});
export type ValidationEntity = z.infer<typeof ValidationEntity>;

export interface ValidationRequest {
  account_number: string;
  fund_account_id: string;
  amount: number;
  notes: Notes;
}

/** How a validation can end. */
export const ValidationEnd = z.enum(['active', 'invalid', 'failed']);
export type ValidationEnd = z.infer<typeof ValidationEnd>;

export type Validations = ReturnType<typeof createValidations>;

export function createValidations(options: {
  validations: readonly ValidationEntity[];
  fundAccounts: FundAccounts;
  contacts: Contacts;
  account: PayoutAccount;
  faults: FaultSwitch;
  agenda: Agenda;
  clock: Clock;
  publish: Publish;
}) {
  const { faults } = options;
  const store = createEntityStore({ max: validationsMax, entities: options.validations });

  function givenName(fundAccount: FundAccountEntity): string {
    if (fundAccount.account_type === 'bank_account') return fundAccount.bank_account.name;
    return options.contacts.contact(fundAccount.contact_id).name;
  }

  function end(validation: ValidationEntity, how: ValidationEnd, registeredName: string | null) {
    const given = givenName(validation.fund_account);
    const name = registeredName ?? faults.current.validations.registeredName ?? given;
    if (how === 'failed') {
      validation.status = 'failed';
      validation.results = {
        account_status: '',
        registered_name: '',
        details: null,
        name_match_score: null,
      };
    } else {
      const isActive = how === 'active';
      validation.status = 'completed';
      validation.results = {
        account_status: how,
        registered_name: isActive ? name : null,
        details: `The beneficiary account is ${isActive ? 'valid' : 'invalid'}.`,
        name_match_score: isActive ? (sameName(name, given) ? 100 : 0) : null,
      };
      if (isActive && validation.amount !== null) validation.utr = newUtr();
      validation.fees = feePaise + taxPaise;
      validation.tax = taxPaise;
      const sent = validation.utr === null ? 0 : (validation.amount ?? 0);
      options.account.book(-sent - validation.fees);
    }
    options.publish({
      name: `fund_account.validation.${validation.status === 'failed' ? 'failed' : 'completed'}`,
      payload: { 'fund_account.validation': validation },
      about: { entityId: validation.id },
    });
  }

  return {
    /** @throws GatewayRefusal when there is no such fund account. */
    create(request: ValidationRequest): ValidationEntity {
      checkPayoutAccount(options.account, request.account_number);
      const fundAccount = options.fundAccounts.fundAccount(request.fund_account_id);
      const isBank = fundAccount.account_type === 'bank_account';
      const validation: ValidationEntity = {
        id: newEntityId('fav'),
        entity: 'fund_account.validation',
        fund_account: fundAccount,
        status: 'created',
        amount: isBank ? request.amount : null,
        currency: isBank ? 'INR' : null,
        fees: 0,
        tax: 0,
        notes: request.notes,
        results: {
          account_status: null,
          registered_name: null,
          details: null,
          name_match_score: null,
        },
        created_at: options.clock.nowSeconds(),
        utr: null,
      };
      store.add(validation);
      const { delayMs, failRate, invalidRate, holdRate } = faults.current.validations;
      const fate =
        faults.draw({ failed: failRate, invalid: invalidRate, held: holdRate }) ?? 'active';
      if (fate !== 'held') {
        options.agenda.add({ kind: 'validation', id: validation.id, steps: [fate], delayMs });
      }
      return validation;
    },

    /** Ends a validation that is under way; false when it is not. */
    end(id: string, how: ValidationEnd, registeredName: string | null = null): boolean {
      const validation = store.get(id);
      if (validation.status !== 'created') return false;
      end(validation, how, registeredName);
      return true;
    },

    validation: (id: string): ValidationEntity => store.get(id),
    list: (query: ListQuery): ValidationEntity[] => page(store.all(), query),
    state: (): ValidationEntity[] => store.all(),
  };
}

function sameName(one: string, other: string): boolean {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return plain(one) === plain(other);
}

const unknown = z.unknown().optional();
const Body = z
  .looseObject({
    account_number: unknown,
    fund_account: z.looseObject({ id: unknown }).optional().catch(undefined),
    amount: unknown,
    currency: unknown,
    notes: unknown,
  })
  .catch({});

/**
 * The body of `POST /v1/fund_accounts/validations`.
 * @throws GatewayRefusal that names the first field that does not fit.
 */
export function parseValidationRequest(json: unknown): ValidationRequest {
  const body = Body.parse(json);
  const amount =
    body.amount === undefined ? amountPaiseDefault : parseInteger('amount', body.amount);
  if (amount < amountPaiseDefault || amount > amountPaiseMax) {
    throw badField(
      'amount',
      `The amount must be between ${amountPaiseDefault} and ${amountPaiseMax}.`,
    );
  }
  if (body.currency !== undefined && body.currency !== 'INR') {
    throw badField('currency', 'Currency is not supported');
  }
  return {
    account_number: requireText('account_number', body.account_number, 40),
    fund_account_id: requireText('fund_account.id', body.fund_account?.id, 64),
    amount,
    notes: parseNotes(body.notes),
  };
}
