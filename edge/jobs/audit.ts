// The audit: proves every invariant of the books, and says loudly when one does not hold.
import { verifyBooks } from '#db';
import type { Deps } from '../deps.ts';

/** One round. Answers how many violations it found. */
export async function auditBooks(deps: Pick<Deps, 'db' | 'log'>): Promise<{ violations: number }> {
  const violations = await verifyBooks(deps.db);
  for (const violation of violations) deps.log.error('the books are wrong', { ...violation });
  return { violations: violations.length };
}
