// Payout accounts: asks the bank whose account it is that a performer wants to be paid to.
import { maskOf, type NameFit, type PayoutDetails, sameName } from '#contract';
import {
  type AccountToVerify,
  findAccount,
  holdPayouts,
  observePayoutAccount,
  openCase,
  payForValidation,
  takeAccountsToVerify,
} from '#db';
import type { Deps } from '../deps.ts';
import { describeError } from '../problem.ts';
import { GatewayRefusal } from '../services/gateway-answer.ts';
import { openDetails } from '../services/payout-details.ts';
import type { GatewayValidation, PayoutGateway } from '../services/payout-gateway.ts';
import { type Lease, unleased } from './lease.ts';

const accountsPerRoundMax = 20;

/** One round. Answers how many it looked after. */
export async function verifyPayoutAccounts(
  deps: Deps,
  lease: Lease = unleased,
): Promise<{ seen: number; failed: number }> {
  const result = { seen: 0, failed: 0 };
  if (!deps.payouts) return result;
  const accounts = await takeAccountsToVerify(deps.db, accountsPerRoundMax);
  deps.failpoint('account.taken');
  for (const account of accounts) {
    lease.check();
    try {
      await verify(deps, deps.payouts, account);
      result.seen += 1;
    } catch (error) {
      result.failed += 1;
      deps.log.warn('account not verified yet', {
        accountId: account.id,
        error: describeError(error),
      });
    }
  }
  return result;
}

/** A check whose answer was lost is found again. None is begun for an account that was replaced. */
async function verify(deps: Deps, bank: PayoutGateway, account: AccountToVerify): Promise<void> {
  const accountId = account.id;
  const details = await openDetails(deps.vault, account.performerId, account.sealedDetails);
  try {
    let validation = await findCheck(bank, account);
    if (!validation && !account.gatewayValidationId) {
      if (account.state === 'replaced') {
        await observePayoutAccount(deps.db, { accountId, state: 'failed' });
        return;
      }
      validation = await beginCheck(deps, bank, account, details);
    }
    deps.failpoint('account.validated');
    if (validation) await judge(deps, account, details, validation);
  } catch (error) {
    if (!(error instanceof GatewayRefusal)) throw error;
    await observePayoutAccount(deps.db, { accountId, state: 'failed', failure: error.description });
  }
  deps.failpoint('account.noted');
}

async function findCheck(
  bank: PayoutGateway,
  { id: referenceId, gatewayValidationId, gatewayFundAccountId: fundAccountId }: AccountToVerify,
): Promise<GatewayValidation | null> {
  if (gatewayValidationId) return bank.fetchValidation(gatewayValidationId);
  return fundAccountId ? bank.findValidation({ fundAccountId, referenceId }) : null;
}

/** Each step is kept before the next one, so that a round that is cut short is taken up where it stopped. */
async function beginCheck(
  deps: Deps,
  bank: PayoutGateway,
  account: AccountToVerify,
  details: PayoutDetails,
): Promise<GatewayValidation> {
  const contactId = account.gatewayContactId ?? (await makeContact(deps, bank, account, details));
  let fundAccountId = account.gatewayFundAccountId;
  if (!fundAccountId) {
    const made = await bank.createFundAccount({ contactId, details: fundDetails(details) });
    deps.failpoint('account.fund-account-made');
    fundAccountId = made.fundAccountId;
    await observePayoutAccount(deps.db, {
      accountId: account.id,
      gatewayFundAccountId: fundAccountId,
    });
    deps.failpoint('account.fund-account-kept');
  }
  return bank.validate({ fundAccountId, kind: details.kind, referenceId: account.id });
}

async function makeContact(
  deps: Deps,
  bank: PayoutGateway,
  account: AccountToVerify,
  details: PayoutDetails,
): Promise<string> {
  const user = await findAccount(deps.db, account.performerId);
  const { contactId } = await bank.createContact({
    referenceId: account.performerId,
    name: details.accountHolder ?? user?.username ?? 'Performer',
    type: 'vendor',
    ...(user ? { email: user.email } : {}),
  });
  deps.failpoint('account.contact-made');
  await observePayoutAccount(deps.db, { accountId: account.id, gatewayContactId: contactId });
  deps.failpoint('account.contact-kept');
  return contactId;
}

function fundDetails(details: PayoutDetails) {
  return details.kind === 'bank'
    ? {
        kind: 'bank' as const,
        name: details.accountHolder,
        ifsc: details.ifsc,
        accountNumber: details.accountNumber,
      }
    : { kind: 'upi' as const, address: details.address };
}

/** The account must be active, and the bank must know it by the name that was given. */
async function judge(
  deps: Deps,
  account: AccountToVerify,
  details: PayoutDetails,
  validation: GatewayValidation,
): Promise<void> {
  const known = { accountId: account.id, gatewayValidationId: validation.id };
  if (validation.status === 'created') {
    await observePayoutAccount(deps.db, known);
    return;
  }
  await payForValidation(deps.db, costOf(account, validation));
  deps.failpoint('account.validation-paid');
  const { account_status: status, registered_name: name } = validation.results;
  const fault = faultOf(validation, details);
  // Before the account counts as verified: whoever decides about the name decides about the money.
  if (!fault && account.state === 'pending' && fitOf(details, name) === 'close') {
    const caseId = await openCase(deps.db, {
      kind: 'payout-name-close',
      subject: account.id,
      details: {
        performerId: account.performerId,
        mask: maskOf(details),
        status,
        bankNames: name !== null,
        wasNamed: details.accountHolder !== undefined,
      },
    });
    deps.failpoint('account.name-asked');
    const { performerId } = account;
    await holdPayouts(deps.db, { performerId, reason: 'payout-name-close', caseId });
    deps.failpoint('account.name-questioned');
  }
  await observePayoutAccount(deps.db, {
    ...known,
    ...(name ? { registeredName: name } : {}),
    ...(fault ? { state: 'failed' as const, failure: fault } : { state: 'verified' as const }),
  });
}

/** The rupee is spent where the bank has a number for it. */
function costOf(account: AccountToVerify, { id, amount, utr, fees, tax }: GatewayValidation) {
  return {
    accountId: account.id,
    gatewayValidationId: id,
    sentPaise: utr === null ? 0 : (amount ?? 0),
    feePaise: fees,
    feeTaxPaise: tax,
  };
}

/** A cut or misspelled name is for a person to decide, and so is one that the bank or the performer does not tell. */
function fitOf({ accountHolder }: PayoutDetails, name: string | null): NameFit {
  return name === null || accountHolder === undefined ? 'close' : sameName(name, accountHolder);
}

function faultOf(validation: GatewayValidation, details: PayoutDetails): string | null {
  const { account_status: status, registered_name: name } = validation.results;
  if (validation.status !== 'completed') return 'The bank could not check this account.';
  if (status !== 'active') return 'The bank says that there is no such account.';
  if (fitOf(details, name) === 'different') {
    return 'The bank knows this account under another name.';
  }
  return null;
}
