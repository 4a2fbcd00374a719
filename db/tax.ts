// Tax on payouts: the PAN that it is reported under, given once by its owner and corrected by staff alone.
import { sql } from 'drizzle-orm';
import { TaxProfile } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

interface SealedPan {
  userId: string;
  sealedPan: string;
  mask: string;
  panHash: string;
}

/** Keeps a PAN; the same one again changes nothing. Refuses `already-decided` for another one, and `pan-taken`. */
export async function setTaxProfile(db: Db, profile: SealedPan): Promise<TaxProfile> {
  return callFunction(
    db,
    sql`select set_tax_profile(${profile.userId}, ${profile.sealedPan}, ${profile.mask},
      ${profile.panHash}) as result`,
    TaxProfile,
  );
}

/**
 * Puts a PAN right that was given wrongly; payouts wait afterwards. The one that it is already changes nothing.
 * Refuses `not-found`, `second-person-needed`, `pan-taken`.
 */
export async function correctTaxProfile(
  db: Db,
  correction: SealedPan & { staffId: string; reason: string },
): Promise<TaxProfile> {
  return callFunction(
    db,
    sql`select correct_tax_profile(${correction.userId}, ${correction.staffId}, ${correction.sealedPan},
      ${correction.mask}, ${correction.panHash}, ${correction.reason}) as result`,
    TaxProfile,
  );
}
