// Audits: prove every invariant of the books, and say loudly when one does not hold.
import { beginAuditRound, beginWholeAudit, readAuditResult, stepAudit } from '#db';
import type { Deps } from '../deps.ts';
import { sealBooks, signCheckpoint } from './chain.ts';
import { type Lease, unleased } from './lease.ts';

/** A whole audit that takes longer goes on in the next round: others want the connection as well. */
const wholeRoundMsMax = 30_000;

/**
 * One round: what is new since the last one, and all that is open. Answers how many invariants do not hold, those
 * of before included until a whole audit finds them no more.
 */
export async function auditBooks(
  deps: Deps,
  lease: Lease = unleased,
): Promise<{ violations: number }> {
  await catchUp(deps);
  const auditId = await beginAuditRound(deps.db);
  while ((await stepAudit(deps.db, auditId)).phase !== 'done') lease.check();
  return tellResult(deps, auditId);
}

/** One round of the audit of every act and row there is: begun every night, and gone on with until it is through. */
export async function auditWholeBooks(
  deps: Deps,
  lease: Lease = unleased,
  roundMsMax = wholeRoundMsMax,
): Promise<{ isUnderWay: boolean; violations: number }> {
  await catchUp(deps);
  const auditId = await beginWholeAudit(deps.db);
  if (auditId === null) return { isUnderWay: false, violations: 0 };
  const deadline = Date.now() + roundMsMax;
  while ((await stepAudit(deps.db, auditId)).phase !== 'done') {
    if (Date.now() > deadline) return { isUnderWay: true, violations: 0 };
    lease.check();
  }
  return { isUnderWay: false, ...(await tellResult(deps, auditId)) };
}

/** What has waited while nobody was running is not late: it is sealed and signed first. */
async function catchUp(deps: Deps): Promise<void> {
  await sealBooks(deps);
  await signCheckpoint(deps);
}

async function tellResult(
  deps: Pick<Deps, 'db' | 'log'>,
  auditId: string,
): Promise<{ violations: number }> {
  const violations = await readAuditResult(deps.db, auditId);
  for (const violation of violations) deps.log.error('the books are wrong', { ...violation });
  return { violations: violations.length };
}
