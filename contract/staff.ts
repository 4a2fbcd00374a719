// Staff: what those who keep the books and look after fraud read and decide.
import { z } from 'zod';
import { HumanText, Id, Instant } from './ids.ts';
import { Paise, Tokens } from './money.ts';
import { Payout } from './payouts.ts';
import { Refund } from './wallet.ts';

export const staffPageMax = 200;
export const staffReasonCharsMax = 1_000;
const reason = HumanText.trim().min(1).max(staffReasonCharsMax);

export const StaffRefund = Refund.extend({ userId: Id, requestedBy: Id.nullable() });
export const StaffRefundList = z.object({ refunds: z.array(StaffRefund) });
export const ListRefundsQuery = z.object({ state: Refund.shape.state.optional() });
export const DecisionBody = z.strictObject({ approve: z.boolean() });

export const Dispute = z.object({
  gatewayDisputeId: z.string(),
  gatewayPaymentId: z.string(),
  userId: Id,
  amountPaise: Paise,
  phase: z.string(),
  reasonCode: z.string(),
  state: z.enum(['open', 'under_review', 'won', 'lost', 'closed']),
  /** Until when evidence must be with the bank. */
  respondBy: Instant.nullable(),
  recoveredPaise: Paise,
  lostPaise: Paise,
  openedAt: Instant,
  closedAt: Instant.nullable(),
});
export type Dispute = z.infer<typeof Dispute>;
export const DisputeList = z.object({ disputes: z.array(Dispute) });
export const ListDisputesQuery = z.object({ open: z.stringbool().optional() });

export const StaffPayout = Payout.extend({
  performerId: Id,
  approvalsNeeded: z.int(),
  approvals: z.int(),
});
export const StaffPayoutList = z.object({ payouts: z.array(StaffPayout) });
export const ListPayoutsQuery = z.object({ state: Payout.shape.state.optional() });
export const RejectPayoutBody = z.strictObject({ reason });
export const HoldPayoutsBody = z.strictObject({ performerId: Id, reason });
export const PayoutHold = z.object({ id: Id });
/** Holds that are on, newest first: what must be lifted before a performer can be paid. */
export const PayoutHoldList = z.object({
  holds: z.array(
    PayoutHold.extend({
      performerId: Id,
      reason: z.string(),
      /** The question that is to be settled, where the hold was placed by a rule. */
      caseId: Id.nullable(),
      placedBy: Id.nullable(),
      createdAt: Instant,
    }),
  ),
});
export type PayoutHoldList = z.infer<typeof PayoutHoldList>;
export const ListPayoutHoldsQuery = z.object({ performerId: Id.optional() });

/** Something that a person must look at. */
export const Case = z.object({
  id: Id,
  kind: z.string(),
  subject: z.string(),
  details: z.looseObject({}),
  state: z.enum(['open', 'resolved']),
  dueAt: Instant.nullable(),
  resolution: z.string().nullable(),
  createdAt: Instant,
});
export type Case = z.infer<typeof Case>;
export const CaseList = z.object({ cases: z.array(Case), nextCursor: z.string().nullable() });
export const ListCasesQuery = z.object({
  state: Case.shape.state.default('open'),
  kind: z.string().max(64).optional(),
  cursor: z.string().max(64).optional(),
});
export const ResolveCaseBody = z.strictObject({ resolution: reason });

export const AdjustmentLine = z.strictObject({
  class: z.string().max(64),
  ownerId: Id.nullable(),
  /** Debits positive, credits negative. */
  amount: z.int(),
});
export const ProposeAdjustmentBody = z.strictObject({
  lines: z.array(AdjustmentLine).min(2).max(20),
  reason,
});
export const Adjustment = z.object({
  id: Id,
  state: z.enum(['proposed', 'approved', 'rejected']),
  replayed: z.boolean(),
});

/** Proposals for a second person to decide, and what was decided; newest first. */
export const AdjustmentList = z.object({
  adjustments: z.array(
    Adjustment.omit({ replayed: true }).extend({
      lines: z.array(AdjustmentLine),
      reason: z.string(),
      proposedBy: Id,
      decidedBy: Id.nullable(),
      createdAt: Instant,
      decidedAt: Instant.nullable(),
    }),
  ),
});
export type AdjustmentList = z.infer<typeof AdjustmentList>;
export const ListAdjustmentsQuery = z.object({ state: Adjustment.shape.state.optional() });

/** Who did what, and what smelled of fraud; newest first. Addresses are hashes: equal ones can be seen. */
export const AuditTrail = z.object({
  entries: z.array(
    z.object({
      id: z.int(),
      action: z.string(),
      actorId: Id.nullable(),
      subject: z.string().nullable(),
      details: z.looseObject({}),
      addressHash: z.string().nullable(),
      at: Instant,
    }),
  ),
  nextCursor: z.string().nullable(),
});
export type AuditTrail = z.infer<typeof AuditTrail>;
export const ReadAuditQuery = z.object({
  actorId: Id.optional(),
  subject: z.string().max(100).optional(),
  /** All whose action begins with it, such as `suspicion.`. */
  action: z.string().max(64).optional(),
  cursor: z.coerce.number().int().positive().optional(),
});

export const GrantTokensBody = z.strictObject({
  userId: Id,
  tokens: Tokens.min(1).max(100_000),
  expiresAt: Instant,
  reason,
});
export const GrantedTokens = z.object({ lotId: Id, tokens: Tokens, replayed: z.boolean() });

export const BanBody = z.strictObject({ reason });

/** A rule or threshold of money; null switches it off. */
export const Rule = z.object({
  name: z.string(),
  value: z.int().nullable(),
  meaning: z.string(),
  validFrom: Instant,
});
export const RuleList = z.object({ rules: z.array(Rule) });
export const SetRuleBody = z.strictObject({ value: z.int().min(0).nullable() });

/** The balance of one account at a moment. */
export const BalanceQuery = z.object({
  class: z.string().max(64),
  ownerId: Id.optional(),
  at: Instant.optional(),
});
export const BalanceAt = z.object({
  class: z.string(),
  ownerId: Id.nullable(),
  at: Instant,
  balance: z.int(),
});

/** The end of the chain of acts at a moment, signed. */
export const Checkpoint = z.object({
  block: z.int(),
  position: z.int(),
  hash: z.string(),
  trialBalance: z.record(z.string(), z.tuple([z.int(), z.int()])),
  signature: z.string(),
  keyId: z.string(),
  createdAt: Instant,
});
export type Checkpoint = z.infer<typeof Checkpoint>;
/** As anybody may read it: the house's totals are its own, and the signature covers a hash of them. */
export const PublicCheckpoint = Checkpoint.omit({ trialBalance: true });
export type PublicCheckpoint = z.infer<typeof PublicCheckpoint>;
export const CheckpointList = z.object({ checkpoints: z.array(PublicCheckpoint) });
