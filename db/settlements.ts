// Settlements: what the gateway brought to the bank, and whether every line of it is explained.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { SolvedLine } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

export interface SettlementFacts {
  settlementId: string;
  utr: string | null;
  settledAt: Date;
  items: {
    entityId: string;
    type: string;
    creditPaise: number;
    debitPaise: number;
    amountPaise: number;
    /** The tax within it included. */
    feePaise: number;
    taxPaise: number;
    disputeId: string | null;
  }[];
}

const SettlementResult = z.object({
  settlementId: z.string(),
  netPaise: z.int(),
  feePaise: z.int(),
  unexplainedPaise: z.int(),
  /** Lines that differ or that nothing explains; each is a case. */
  cases: z.int(),
  replayed: z.boolean(),
});
export type SettlementResult = z.infer<typeof SettlementResult>;

/** Books a settlement once. Refuses `idempotency-key-reused` when it says something else than before, with a case. */
export async function observeSettlement(
  db: Db,
  settlement: SettlementFacts,
): Promise<SettlementResult> {
  return callFunction(
    db,
    sql`select ledger.settlement_observed(${JSON.stringify(settlement)}::jsonb) as result`,
    SettlementResult,
  );
}

const SettledEntity = z.object({
  entityId: z.string(),
  type: z.enum(['payment', 'refund', 'dispute']),
});
/** What a line of a settlement is for, by the name that it has at the gateway. */
export type SettledEntity = z.infer<typeof SettledEntity>;

/**
 * What the lines of a settlement are for and would not be explained by yet: nobody has told what became of it. A
 * line that was solved by hand needs no explanation.
 */
export async function findUnknownEntities(
  db: Db,
  settlement: SettlementFacts,
): Promise<SettledEntity[]> {
  return callFunction(
    db,
    sql`select ledger.settlement_unknown(${JSON.stringify(settlement)}::jsonb) as result`,
    SettledEntity.array(),
  );
}

/**
 * Says which line an approved adjustment has solved, or opened again: what the line is for may become known later,
 * and is a case then instead of being booked once more. Refuses `not-found`, `already-decided`, and
 * `invalid-request` when the adjustment moved more of `unexplained` than is open.
 */
export async function solveSettlementLine(
  db: Db,
  solution: { staffId: string; adjustmentId: string; settlementId: string; line: number },
): Promise<SolvedLine> {
  return callFunction(
    db,
    sql`select ledger.settlement_solved(${solution.staffId}, ${solution.adjustmentId}, ${solution.settlementId},
      ${solution.line}) as result`,
    SolvedLine,
  );
}

/** When the newest settlement that was booked was paid; null before the first. */
export async function readLastSettledAt(db: Db): Promise<Date | null> {
  return callFunction(
    db,
    sql`select to_jsonb(instant(max(settled_at))) as result from settlements`,
    z.coerce.date().nullable(),
  );
}

/**
 * Explains lines whose payment, refund or dispute has become known since, and opens a case for each captured
 * payment that no settlement has brought in time. Answers how many of those there are.
 */
export async function findLateSettlements(db: Db): Promise<number> {
  return callFunction(db, sql`select to_jsonb(ledger.late_settlements()) as result`, z.int());
}

const Clearing = z.object({
  balancePaise: z.int(),
  unsettledPaymentsPaise: z.int(),
  unsettledRefundsPaise: z.int(),
  unsettledDisputesPaise: z.int(),
  /** Moved by hand. */
  adjustedPaise: z.int(),
});

/** What the gateway still owes, and what it is made of. */
export async function readClearing(db: Db): Promise<z.infer<typeof Clearing>> {
  return callFunction(db, sql`select ledger.clearing_explained() as result`, Clearing);
}
