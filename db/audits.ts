// Audits: every invariant of the books, proven in steps that can be gone on with.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Id } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

const Violations = z.array(
  z.object({
    invariant: z.string(),
    subject: z.string().nullable(),
    detail: z.string().nullable(),
  }),
);
export type Violation = z.infer<typeof Violations>[number];

const Progress = z.object({
  phase: z.enum(['rows', 'acts', 'released', 'lots', 'invoices', 'state', 'done']),
  /** The id, or the number, that the phase has come to. */
  cursor: z.string(),
  /** How many acts of the chain have been looked at, and how many there are. */
  position: z.int(),
  end: z.int(),
});
export type AuditProgress = z.infer<typeof Progress>;

/** The next round of the audit that stands, or the one in the midst of which somebody ended: what is new and what is open. */
export async function beginAuditRound(db: Db): Promise<string> {
  return callFunction(db, sql`select to_jsonb(ledger.audit_round()) as result`, Id);
}

/** The whole audit that is under way, or a new one where one is due; else null. */
export async function beginWholeAudit(db: Db): Promise<string | null> {
  return callFunction(db, sql`select to_jsonb(ledger.audit_whole()) as result`, Id.nullable());
}

/** How much is looked at together, and how long a step goes on with the next. */
const usualStep = { acts: 5_000, milliseconds: 500 };

/** Goes on a little. */
export async function stepAudit(db: Db, auditId: string, step = usualStep): Promise<AuditProgress> {
  return callFunction(
    db,
    sql`select ledger.audit_step(${auditId}, ${step.acts}, ${step.milliseconds}) as result`,
    Progress,
  );
}

/** What an audit has found: every invariant that does not hold. */
export async function readAuditResult(db: Db, auditId: string): Promise<Violation[]> {
  return callFunction(db, sql`select ledger.audit_result(${auditId}) as result`, Violations);
}

/**
 * Every invariant that does not hold, from the first act on; empty when the books are right. `asOf` says until
 * when somebody could have sealed and signed, where nobody has been running since: until now.
 */
export async function verifyBooks(
  db: Db,
  options: { asOf?: Date | undefined; onProgress?: (progress: AuditProgress) => void } = {},
): Promise<Violation[]> {
  const auditId = await callFunction(
    db,
    sql`select to_jsonb(ledger.audit_apart(${options.asOf?.toISOString() ?? null}::timestamptz)) as result`,
    Id,
  );
  for (;;) {
    const progress = await stepAudit(db, auditId);
    if (progress.phase === 'done') break;
    options.onProgress?.(progress);
  }
  const violations = await readAuditResult(db, auditId);
  await db.execute(sql`select ledger.audit_ended(${auditId})`);
  return violations;
}
