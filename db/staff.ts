// Staff: cases, adjustments, bans, rules, and the audit trail.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import {
  Adjustment,
  type AdjustmentLine,
  AdjustmentList,
  AuditTrail,
  Case,
  Id,
  RoomEvent,
  Rule,
} from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** Opens a case unless its subject has an open one of that kind. Answers its id. */
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

/** Cases, newest first; `before` is the id of the last one on the page before. */
export async function listCases(
  db: Db,
  page: {
    state: Case['state'];
    kind?: string | undefined;
    before?: string | undefined;
    limit: number;
  },
): Promise<Case[]> {
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(jsonb_build_object(
        'id', c.id, 'kind', c.kind, 'subject', c.subject, 'details', c.details, 'state', c.state,
        'dueAt', instant(c.due_at), 'resolution', c.resolution, 'createdAt', instant(c.created_at))
        order by c.id desc), '[]') as result
      from (select * from cases
        where state = ${page.state}
          and (${page.kind ?? null}::text is null or kind = ${page.kind ?? null}::text)
          and (${page.before ?? null}::uuid is null or id < ${page.before ?? null}::uuid)
        order by id desc limit ${page.limit}) c`,
    Case.array(),
  );
}

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

/** Adjustments, newest first: in one state, or all. */
export async function listAdjustments(
  db: Db,
  filter: { state?: z.infer<typeof Adjustment>['state'] | undefined; limit: number },
): Promise<AdjustmentList['adjustments']> {
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(jsonb_build_object(
        'id', a.id, 'state', a.state, 'lines', a.lines, 'reason', a.reason, 'proposedBy', a.proposed_by,
        'decidedBy', a.decided_by, 'createdAt', instant(a.created_at), 'decidedAt', instant(a.decided_at))
        order by a.id desc), '[]') as result
      from (select * from ledger.adjustments
        where ${filter.state ?? null}::text is null or state = ${filter.state ?? null}::text
        order by id desc limit ${filter.limit}) a`,
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

/** Bans an account or lifts its ban; answers the events of the streams that ended with it. */
export async function setBan(
  db: Db,
  ban: { userId: string; staffId: string; banned: boolean; reason: string },
): Promise<RoomEvent[]> {
  return callFunction(
    db,
    sql`select set_ban(${ban.userId}, ${ban.staffId}, ${ban.banned}, ${ban.reason}) as result`,
    RoomEvent.array(),
  );
}

/** The rules in force. */
export async function listRules(db: Db): Promise<z.infer<typeof Rule>[]> {
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(jsonb_build_object(
        'name', r.name, 'value', r.value, 'meaning', r.meaning, 'validFrom', instant(r.valid_from))
        order by r.name), '[]') as result
      from (select distinct on (name) * from rules where valid_from <= now()
        order by name, valid_from desc, id desc) r`,
    Rule.array(),
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

/** Looks for rings of tips and for earnings that are disputed too often; opens cases, holds payouts. Answers how many. */
export async function findFraud(db: Db): Promise<number> {
  return callFunction(db, sql`select to_jsonb(find_fraud()) as result`, z.int());
}
