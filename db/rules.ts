// Rules: what they are now, and changes of them.
import { sql } from 'drizzle-orm';
import { Rule } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** All rules as they are now, by name, with the changes that wait for a second person. */
export async function listRules(db: Db): Promise<Rule[]> {
  return callFunction(db, sql`select rules_json() as result`, Rule.array());
}

/**
 * Sets a rule from now on; where that widens a risk it is proposed, and somebody else decides. Refuses
 * `not-found`, `invalid-request`.
 */
export async function setRule(
  db: Db,
  change: { name: string; value: number | null; staffId: string; reason: string },
): Promise<Rule> {
  return callFunction(
    db,
    sql`select set_rule(${change.name}, ${change.value}, ${change.staffId}, ${change.reason}) as result`,
    Rule,
  );
}

/** Somebody else lets a proposed change come into force, or anybody rejects it. Refuses `second-person-needed`, `already-decided`. */
export async function decideRule(
  db: Db,
  proposalId: string,
  staffId: string,
  approve: boolean,
): Promise<Rule> {
  return callFunction(
    db,
    sql`select decide_rule(${proposalId}, ${staffId}, ${approve}) as result`,
    Rule,
  );
}
