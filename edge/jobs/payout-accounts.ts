// Payout accounts: asks the bank whose account it is that a performer wants to be paid to.
import { maskOf, type PayoutDetails, sameName } from '#contract';
import {
  type AccountToVerify,
  findUserById,
  holdPayouts,
  observePayoutAccount,
  openCase,
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

/** Each step is kept before the next one, so that a round that is cut short is taken up where it stopped. */
async function verify(deps: Deps, bank: PayoutGateway, account: AccountToVerify): Promise<void> {
  const accountId = account.id;
  const details = await openDetails(deps.vault, account.performerId, account.sealedDetails);
  try {
    const contactId = account.gatewayContactId ?? (await makeContact(deps, bank, account, details));
    let fundAccountId = account.gatewayFundAccountId;
    if (!fundAccountId) {
      const made = await bank.createFundAccount({ contactId, details: fundDetails(details) });
      deps.failpoint('account.fund-account-made');
      fundAccountId = made.fundAccountId;
      await observePayoutAccount(deps.db, { accountId, gatewayFundAccountId: fundAccountId });
      deps.failpoint('account.fund-account-kept');
    }
    const validation = account.gatewayValidationId
      ? await bank.fetchValidation(account.gatewayValidationId)
      : await bank.validate({ fundAccountId, kind: details.kind, referenceId: accountId });
    deps.failpoint('account.validated');
    if (validation) await judge(deps, account, details, validation);
  } catch (error) {
    if (!(error instanceof GatewayRefusal)) throw error;
    await observePayoutAccount(deps.db, { accountId, state: 'failed', failure: error.description });
  }
  deps.failpoint('account.noted');
}

async function makeContact(
  deps: Deps,
  bank: PayoutGateway,
  account: AccountToVerify,
  details: PayoutDetails,
): Promise<string> {
  const user = await findUserById(deps.db, account.performerId);
  const { contactId } = await bank.createContact({
    referenceId: account.performerId,
    name: details.kind === 'bank' ? details.accountHolder : (user?.username ?? 'Performer'),
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
    : details;
}

/** The account must be active, and where a name was given the bank must know it by that name. */
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
  const { account_status: status, registered_name: name } = validation.results;
  const fault = faultOf(validation, details);
  // Before the account counts as verified: whoever decides about the name decides about the money.
  if (!fault && isCloseName(details, name)) {
    const caseId = await openCase(deps.db, {
      kind: 'payout-name-close',
      subject: account.id,
      details: { performerId: account.performerId, mask: maskOf(details), status },
    });
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

/** Such as a cut or misspelled name, which is for a person to decide. */
function isCloseName(details: PayoutDetails, name: string | null): boolean {
  return (
    details.kind === 'bank' && name !== null && sameName(name, details.accountHolder) === 'close'
  );
}

function faultOf(validation: GatewayValidation, details: PayoutDetails): string | null {
  const { account_status: status, registered_name: name } = validation.results;
  if (validation.status !== 'completed') return 'The bank could not check this account.';
  if (status !== 'active') return 'The bank says that there is no such account.';
  if (details.kind === 'bank' && name && sameName(name, details.accountHolder) === 'different') {
    return 'The bank knows this account under another name.';
  }
  return null;
}
