// Settlements: fetches what the gateway brought to the bank, day by day, and has every line of it explained.
import {
  findLateSettlements,
  findUnknownEntities,
  observeSettlement,
  openCase,
  Refusal,
  readLastSettledAt,
  type SettlementFacts,
  type SettlementResult,
} from '#db';
import type { Deps } from '../deps.ts';
import { describeError } from '../problem.ts';
import type { GatewaySettlementItem } from '../services/gateway-settlements.ts';
import { takeEntity } from '../services/settled-entity.ts';
import { type Lease, unleased } from './lease.ts';

/** Days that are looked at again each time: a settlement may show late, and is booked once. */
const daysLookedAtMin = 4;
/** After a time without a runner it is looked at all days since the last settlement, but for no more than these. */
const daysLookedAtMax = 60;
/** Of one settlement: more are asked about in later rounds, and are cases until then. */
const unknownAskedMax = 500;
const dayMs = 24 * 3600 * 1000;
/** India's clock, by which the gateway's days are counted, is ahead of UTC. */
const indiaOffsetMs = 5.5 * 3600 * 1000;

/** One round. Answers how many settlements it booked for the first time, and how many cases that made. */
export async function reconcileSettlements(
  deps: Deps,
  lease: Lease = unleased,
): Promise<{ booked: number; cases: number; late: number }> {
  const result = { booked: 0, cases: 0, late: 0 };
  const days = await daysToLookAt(deps);
  const today = deps.now().getTime() + indiaOffsetMs;
  for (let back = days - 1; back >= 0; back -= 1) {
    lease.check();
    const day = new Date(today - back * dayMs);
    const items = await deps.gateway.listSettlementItems({
      year: day.getUTCFullYear(),
      month: day.getUTCMonth() + 1,
      day: day.getUTCDate(),
    });
    deps.failpoint('settlement.listed');
    for (const settlement of settlementsOf(items)) {
      await askAboutUnknown(deps, lease, settlement);
      const booked = await book(deps, settlement);
      deps.failpoint('settlement.booked');
      if (booked?.replayed) continue;
      result.cases += booked?.cases ?? 1;
      if (booked) result.booked += 1;
    }
  }
  result.late = await findLateSettlements(deps.db);
  deps.failpoint('settlement.late-found');
  if (result.cases > 0) deps.log.error('settlements that do not match', result);
  return result;
}

async function daysToLookAt(deps: Deps): Promise<number> {
  const last = await readLastSettledAt(deps.db);
  const days = last ? Math.ceil((deps.now().getTime() - last.getTime()) / dayMs) + 1 : 0;
  return Math.min(Math.max(days, daysLookedAtMin), daysLookedAtMax);
}

/**
 * A line may be all that is ever heard of a payment, a refund or a dispute: what it is for is asked before it is
 * called unexplained. One that cannot be told now is asked about again in the next round.
 */
async function askAboutUnknown(
  deps: Deps,
  lease: Lease,
  settlement: SettlementFacts,
): Promise<void> {
  const unknown = await findUnknownEntities(deps.db, settlement);
  deps.failpoint('settlement.unknown-found');
  for (const entity of unknown.slice(0, unknownAskedMax)) {
    lease.check();
    try {
      await takeEntity(deps, entity);
      deps.failpoint('settlement.entity-taken');
    } catch (error) {
      deps.log.warn('line not looked up', { ...entity, error: describeError(error) });
    }
  }
}

/** Null for one that says something else than when it was booked: a case, and no reason to leave others out. */
async function book(deps: Deps, settlement: SettlementFacts): Promise<SettlementResult | null> {
  try {
    return await observeSettlement(deps.db, settlement);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await openCase(deps.db, {
      kind: 'settlement-changed',
      subject: settlement.settlementId,
      details: { refusal: error.code, lines: settlement.items.length },
    });
    deps.failpoint('settlement.case-opened');
    return null;
  }
}

/** The lines of a day by the settlement that they belong to; what is not settled yet belongs to none. */
function settlementsOf(items: readonly GatewaySettlementItem[]): SettlementFacts[] {
  const settled = items.filter((item) => item.settled && item.settlement_id !== null);
  return [...Map.groupBy(settled, (item) => item.settlement_id ?? '')].map(
    ([settlementId, lines]) => ({
      settlementId,
      utr: lines[0]?.settlement_utr ?? null,
      settledAt: new Date((lines[0]?.settled_at ?? 0) * 1000),
      items: lines.map((line) => ({
        entityId: line.entity_id,
        type: line.type,
        creditPaise: line.credit,
        debitPaise: line.debit,
        amountPaise: line.amount,
        feePaise: line.fee,
        taxPaise: line.tax,
        disputeId: line.dispute_id,
      })),
    }),
  );
}
