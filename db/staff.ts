// Staff: cases, adjustments, bans, and the audit trail.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import {
  Adjustment,
  type AdjustmentLine,
  AdjustmentList,
  AuditTrail,
  Case,
  Id,
  Revocation,
  RoomEvent,
} from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import { type IdPage, idPage } from './id-page.ts';

/**
 * Opens a case unless its subject has an open one of that kind, or somebody has resolved one of late and there is
 * nothing more to say. Answers its id.
 */
export async function openCase(
  db: Db,
  found: { kind: string; subject: string; details: Record<string, unknown>; dueAt?: Date },
): Promise<string> {
  return callFunction(
    db,
    sql`select to_jsonb(open_case(${found.kind}, ${found.subject}, ${JSON.stringify(found.details)}::jsonb,
      ${found.dueAt?.toISOString() ?? null}::timestamptz)) as result`,
    Id,
  );
}

/** Cases: open ones, oldest first; resolved ones, newest first. */
export async function listCases(
  db: Db,
  page: IdPage & { state: Case['state']; kind?: string | undefined },
): Promise<Case[]> {
  const { state, kind = null } = page;
  const { rows, order } = idPage(page, state === 'open' ? 'oldest' : 'newest');
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(jsonb_build_object(
        'id', c.id, 'kind', c.kind, 'subject', c.subject, 'details', c.details, 'state', c.state,
        'dueAt', instant(c.due_at), 'resolution', c.resolution, 'createdAt', instant(c.created_at))
        order by ${order}), '[]') as result
      from (select * from cases
        where state = ${state} and (${kind}::text is null or kind = ${kind}::text) ${rows}) c`,
    Case.array(),
  );
}

/**
 * Closes a case with what was found; a proposed promotion is rejected with its own. Refuses `not-found`,
 * `second-person-needed`, `payout-in-doubt`, `already-decided`.
 */
export async function resolveCase(
  db: Db,
  caseId: string,
  staffId: string,
  resolution: string,
): Promise<void> {
  await callFunction(
    db,
    sql`select to_jsonb(resolve_case(${caseId}, ${staffId}, ${resolution})::text) as result`,
    z.unknown(),
  );
}

/** Proposes a change of the books by hand. Refuses `invalid-request`, `idempotency-key-reused`. */
export async function proposeAdjustment(
  db: Db,
  adjustment: {
    staffId: string;
    lines: readonly z.infer<typeof AdjustmentLine>[];
    reason: string;
    idempotencyKey: string;
  },
): Promise<z.infer<typeof Adjustment>> {
  return callFunction(
    db,
    sql`select ledger.adjustment_proposed(${adjustment.staffId}, ${JSON.stringify(adjustment.lines)}::jsonb,
      ${adjustment.reason}, ${adjustment.idempotencyKey}) as result`,
    Adjustment,
  );
}

/** Somebody else approves it, or anybody rejects it. Refuses `second-person-needed`, `already-decided`, `insufficient-balance`. */
export async function decideAdjustment(
  db: Db,
  adjustmentId: string,
  staffId: string,
  approve: boolean,
): Promise<z.infer<typeof Adjustment>> {
  return callFunction(
    db,
    sql`select ledger.adjustment_decided(${adjustmentId}, ${staffId}, ${approve}) as result`,
    Adjustment,
  );
}

/** Adjustments: those that wait, oldest first; in another state, or all, newest first. */
export async function listAdjustments(
  db: Db,
  page: IdPage & { state?: z.infer<typeof Adjustment>['state'] | undefined },
): Promise<AdjustmentList['adjustments']> {
  const state = page.state ?? null;
  const { rows, order } = idPage(page, state === 'proposed' ? 'oldest' : 'newest');
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(jsonb_build_object(
        'id', a.id, 'state', a.state, 'lines', a.lines, 'reason', a.reason, 'proposedBy', a.proposed_by,
        'decidedBy', a.decided_by, 'createdAt', instant(a.created_at), 'decidedAt', instant(a.decided_at))
        order by ${order}), '[]') as result
      from (select * from ledger.adjustments where (${state}::text is null or state = ${state}::text) ${rows}) a`,
    AdjustmentList.shape.adjustments,
  );
}

/** The audit trail, newest first; `before` is the id of the last entry on the page before. */
export async function readAudit(
  db: Db,
  page: {
    actorId?: string | undefined;
    subject?: string | undefined;
    action?: string | undefined;
    before?: number | undefined;
    limit: number;
  },
): Promise<AuditTrail['entries']> {
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(jsonb_build_object(
        'id', e.id, 'action', e.action, 'actorId', e.actor_id, 'subject', e.subject, 'details', e.details,
        'addressHash', e.address_hash, 'at', instant(e.created_at)) order by e.id desc), '[]') as result
      from (select * from audit_log
        where (${page.actorId ?? null}::uuid is null or actor_id = ${page.actorId ?? null}::uuid)
          and (${page.subject ?? null}::text is null or subject = ${page.subject ?? null}::text)
          and starts_with(action, ${page.action ?? ''})
          and id < coalesce(${page.before ?? null}::bigint, 9223372036854775807)
        order by id desc limit ${page.limit}) e`,
    AuditTrail.shape.entries,
  );
}

const Banned = z.object({ events: RoomEvent.array(), revocations: Revocation.array() });

/** Bans an account or lifts its ban; answers the events of the streams that ended with it, and what to revoke. */
export async function setBan(
  db: Db,
  ban: { userId: string; staffId: string; banned: boolean; reason: string },
): Promise<z.infer<typeof Banned>> {
  return callFunction(
    db,
    sql`select set_ban(${ban.userId}, ${ban.staffId}, ${ban.banned}, ${ban.reason}) as result`,
    Banned,
  );
}

/** Writes what somebody did, or what smelled of fraud, into the audit trail. */
export async function writeAudit(
  db: Db,
  entry: {
    action: string;
    actorId?: string | null;
    subject?: string | null;
    details?: Record<string, unknown>;
    addressHash?: string | null;
  },
): Promise<void> {
  await db.execute(sql`select audit(${entry.action}, ${entry.actorId ?? null}::uuid,
    ${entry.subject ?? null}, ${JSON.stringify(entry.details ?? {})}::jsonb, ${entry.addressHash ?? null})`);
}

/**
 * Looks for rings of tips, and for earnings that are disputed too often or come from given tokens; opens cases, holds
 * payouts. Answers how many it found.
 */
export async function findFraud(db: Db): Promise<number> {
  return callFunction(db, sql`select to_jsonb(find_fraud()) as result`, z.int());
}
