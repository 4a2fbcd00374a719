// Rules: the numbers that money goes by, and how staff change them.
import { z } from 'zod';
import { Id, Instant } from './ids.ts';
import { StaffReason } from './staff.ts';

/** In the unit that the rule's name ends with; null is switched off. */
const RuleValue = z.int().nullable();

/** A change that widens a risk: a second person lets it come into force. */
export const RuleProposal = z.object({
  id: Id,
  value: RuleValue,
  reason: z.string(),
  proposedBy: Id,
  createdAt: Instant,
});

/** A rule as it is now. */
export const Rule = z.object({
  name: z.string(),
  value: RuleValue,
  meaning: z.string(),
  validFrom: Instant,
  /** Null where it has the value that it began with. */
  setBy: Id.nullable(),
  lowest: z.int(),
  highest: z.int(),
  canBeOff: z.boolean(),
  /** Which way a change widens a risk, and takes two of the staff; null where neither does. */
  risky: z.enum(['raised', 'lowered']).nullable(),
  proposed: RuleProposal.nullable(),
});
export type Rule = z.infer<typeof Rule>;
export const RuleList = z.object({ rules: z.array(Rule) });

export const RuleName = z.string().regex(/^[a-z][a-z_]{0,63}$/, 'a name such as payout_min_paise');
export const SetRuleBody = z.strictObject({
  value: z.int().nonnegative().nullable(),
  reason: StaffReason,
});
