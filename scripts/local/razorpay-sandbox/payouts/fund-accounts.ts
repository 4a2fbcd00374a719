// RazorpayX fund accounts: where a contact is paid, a bank account or a UPI address.
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { newEntityId } from '../entity-id.ts';
import { createEntityStore, type ListQuery, page } from '../entity-store.ts';
import { requireText } from '../fields.ts';
import { badField } from '../refusal.ts';
import type { Contacts } from './contacts.ts';

const fundAccountsMax = 20_000;
const nameCharsMax = 120;

const BankAccount = z.object({
  ifsc: z.string(),
  bank_name: z.string(),
  name: z.string(),
  notes: z.tuple([]),
  account_number: z.string(),
});
const Vpa = z.object({ username: z.string(), handle: z.string(), address: z.string() });

const common = {
  id: z.string(),
  entity: z.literal('fund_account'),
  contact_id: z.string(),
  batch_id: z.null(),
  active: z.boolean(),
  created_at: z.int(),
};

export const FundAccountEntity = z.discriminatedUnion('account_type', [
  z.object({ ...common, account_type: z.literal('bank_account'), bank_account: BankAccount }),
  z.object({ ...common, account_type: z.literal('vpa'), vpa: Vpa }),
]);
export type FundAccountEntity = z.infer<typeof FundAccountEntity>;

type Destination =
  | { account_type: 'bank_account'; bank_account: z.infer<typeof BankAccount> }
  | { account_type: 'vpa'; vpa: z.infer<typeof Vpa> };

export type FundAccountRequest = Destination & { contact_id: string };

export type FundAccounts = ReturnType<typeof createFundAccounts>;

export function createFundAccounts(options: {
  fundAccounts: readonly FundAccountEntity[];
  contacts: Contacts;
  clock: Clock;
}) {
  const byDetails = new Map<string, string>();
  const store = createEntityStore({
    max: fundAccountsMax,
    entities: options.fundAccounts,
    forget: (fundAccount) => byDetails.delete(detailsOf(fundAccount)),
  });
  for (const fundAccount of options.fundAccounts) {
    byDetails.set(detailsOf(fundAccount), fundAccount.id);
  }

  return {
    /**
     * The same details lead to the fund account that has them already.
     * @throws GatewayRefusal when there is no such contact.
     */
    create({ contact_id, ...destination }: FundAccountRequest): FundAccountEntity {
      options.contacts.contact(contact_id);
      const known = store.find(byDetails.get(detailsOf({ contact_id, ...destination })) ?? '');
      if (known) return known;
      const fundAccount: FundAccountEntity = {
        id: newEntityId('fa'),
        entity: 'fund_account',
        contact_id,
        ...destination,
        batch_id: null,
        active: true,
        created_at: options.clock.nowSeconds(),
      };
      store.add(fundAccount);
      byDetails.set(detailsOf(fundAccount), fundAccount.id);
      return fundAccount;
    },
    fundAccount: (id: string): FundAccountEntity => store.get(id),
    list: (contactId: string | undefined, query: ListQuery): FundAccountEntity[] =>
      page(
        store.all().filter(({ contact_id }) => !contactId || contact_id === contactId),
        query,
      ),
    state: (): FundAccountEntity[] => store.all(),
  };
}

/** Where money sent to it arrives. */
export function destinationOf(destination: Destination): string {
  if (destination.account_type === 'vpa') return destination.vpa.address;
  const { account_number, ifsc } = destination.bank_account;
  return `${account_number}@${ifsc}`;
}

function detailsOf(request: FundAccountRequest): string {
  const name = request.account_type === 'bank_account' ? request.bank_account.name : null;
  return JSON.stringify([request.contact_id, destinationOf(request), name]);
}

const Body = z
  .looseObject({
    contact_id: z.unknown().optional(),
    account_type: z.unknown().optional(),
    bank_account: z.record(z.string(), z.unknown()).optional().catch(undefined),
    vpa: z.record(z.string(), z.unknown()).optional().catch(undefined),
  })
  .catch({});

/**
 * The body of `POST /v1/fund_accounts`.
 * @throws GatewayRefusal that names the first field that does not fit.
 */
export function parseFundAccountRequest(json: unknown): FundAccountRequest {
  const body = Body.parse(json);
  const contact_id = requireText('contact_id', body.contact_id, 64);
  switch (body.account_type) {
    case 'bank_account':
      return {
        contact_id,
        account_type: 'bank_account',
        bank_account: parseBank(body.bank_account),
      };
    case 'vpa':
      return { contact_id, account_type: 'vpa', vpa: parseVpa(body.vpa) };
    default:
      throw badField('account_type', 'The selected account type is invalid.');
  }
}

function parseBank(given: Record<string, unknown> = {}): z.infer<typeof BankAccount> {
  const name = requireText('name', given.name, nameCharsMax);
  const ifsc = requireText('ifsc', given.ifsc, 11).toUpperCase();
  if (!/^[A-Z]{4}0[A-Z0-9]{6}$/.test(ifsc)) throw badField('ifsc', 'Invalid IFSC Code');
  const accountNumber = requireText('account_number', String(given.account_number ?? ''), 35);
  if (!/^[A-Za-z0-9]{5,35}$/.test(accountNumber)) {
    throw badField('account_number', 'The account number format is invalid.');
  }
  // The first four letters of an IFSC are the bank's.
  return { ifsc, bank_name: ifsc.slice(0, 4), name, notes: [], account_number: accountNumber };
}

function parseVpa(given: Record<string, unknown> = {}): z.infer<typeof Vpa> {
  const address = requireText('address', given.address, 100);
  const [, username, handle] = /^([A-Za-z0-9.-]{3,})@([A-Za-z][A-Za-z0-9]+)$/.exec(address) ?? [];
  if (!username || !handle)
    throw badField('address', 'Invalid VPA. Please enter a valid Virtual Payment Address');
  return { username, handle, address };
}
