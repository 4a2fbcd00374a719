// Payout details: sealed before they are kept, opened by nothing but the job that sends them to the bank.
import { maskPan, PayoutDetails } from '#contract';
import type { Vault } from './vault.ts';

/** Sealed details of one performer do not open as another's. */
export function payoutAccountContext(performerId: string): string {
  return `payout-account:${performerId}`;
}

/** As above, and no tax number opens where bank details belong. */
function taxProfileContext(userId: string): string {
  return `tax-profile:${userId}`;
}

/** A PAN as it is kept: sealed for this person, and hashed so that two people cannot give the same one. */
export async function sealPan(
  vault: Vault,
  userId: string,
  pan: string,
): Promise<{ userId: string; sealedPan: string; mask: string; panHash: string }> {
  return {
    userId,
    sealedPan: await vault.seal(pan, taxProfileContext(userId)),
    mask: maskPan(pan),
    panHash: await vault.keyedHash(pan, 'pan'),
  };
}

export async function sealDetails(
  vault: Vault,
  performerId: string,
  details: PayoutDetails,
): Promise<{ sealedDetails: string; detailsHash: string }> {
  const number =
    details.kind === 'bank'
      ? `bank:${details.ifsc}:${details.accountNumber}`
      : `upi:${details.address}`;
  return {
    sealedDetails: await vault.seal(JSON.stringify(details), payoutAccountContext(performerId)),
    // Named as instruments of payers are, so that somebody who pays themselves can be seen.
    detailsHash: await vault.keyedHash(number, 'instrument'),
  };
}

/** Throws VaultError when they were changed, or are somebody else's. */
export async function openDetails(
  vault: Vault,
  performerId: string,
  sealedDetails: string,
): Promise<PayoutDetails> {
  return PayoutDetails.parse(
    JSON.parse(await vault.open(sealedDetails, payoutAccountContext(performerId))),
  );
}
