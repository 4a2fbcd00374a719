// Fraud: looks for rings of tips and for earnings that are disputed too often.
import { findFraud } from '#db';
import type { Deps } from '../deps.ts';

/** One round. Answers how many patterns it found; each is a case, and those that prove enough hold payouts. */
export async function lookForFraud(deps: Deps): Promise<{ found: number }> {
  const found = await findFraud(deps.db);
  deps.failpoint('fraud.found');
  if (found > 0) deps.log.warn('patterns of fraud found', { found });
  return { found };
}
