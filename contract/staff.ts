// Staff: what those who keep the books and look after fraud read and decide.
import { z } from 'zod';
import { Pan } from './bank.ts';
import { HumanText, Id, Instant } from './ids.ts';
import { Paise, Tokens } from './money.ts';
import { Payout } from './payouts.ts';
import { Refund } from './purchases.ts';

export const staffPageMax = 200;
export const staffReasonCharsMax = 1_000;
/** Why one of the staff does something. */
export const StaffReason = HumanText.trim().min(1).max(staffReasonCharsMax);
const reason = StaffReason;
/** The name of a kind of thing, such as a class of accounts. */
const name = HumanText.max(64);
/** What a list says where it goes on. */
const cursor = z.string().max(64).optional();

export const StaffRefund = Refund.extend({ userId: Id, requestedBy: Id.nullable() });
/** Newest first; in a state that is no end, oldest first. */
export const StaffRefundList = z.object({
  refunds: z.array(StaffRefund),
  nextCursor: z.string().nullable(),
});
export const ListRefundsQuery = z.object({ state: Refund.shape.state.optional(), cursor });
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
/** Open ones by their deadline; all, newest first. */
export const DisputeList = z.object({
  disputes: z.array(Dispute),
  nextCursor: z.string().nullable(),
});
export const ListDisputesQuery = z.object({
  open: z.stringbool().optional(),
  cursor: z
    .string()
    .regex(/^\w{1,64}$/, 'not a cursor')
    .optional(),
});

export const StaffPayout = Payout.extend({
  performerId: Id,
  approvalsNeeded: z.int(),
  approvals: z.int(),
});
/** Newest first; in a state that is no end, oldest first. */
export const StaffPayoutList = z.object({
  payouts: z.array(StaffPayout),
  nextCursor: z.string().nullable(),
});
export const ListPayoutsQuery = z.object({ state: Payout.shape.state.optional(), cursor });
export const RejectPayoutBody = z.strictObject({ reason });
/** What was found out about a payout that nobody sends any more: the gateway never got it, or has it. */
export const EndPayoutBody = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('never-sent'), reason }),
  z.strictObject({
    type: z.literal('sent'),
    gatewayPayoutId: z.string().regex(/^pout_\w{1,60}$/, 'an id such as pout_1Aa00000000001'),
    reason,
  }),
]);
export type EndPayoutBody = z.infer<typeof EndPayoutBody>;
export const HoldPayoutsBody = z.strictObject({ performerId: Id, reason });
export const PayoutHold = z.object({ id: Id });
/** Holds that are on, oldest first: what must be lifted before a performer can be paid. */
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
  nextCursor: z.string().nullable(),
});
export type PayoutHoldList = z.infer<typeof PayoutHoldList>;
export const ListPayoutHoldsQuery = z.object({ performerId: Id.optional(), cursor });

/** A PAN that was given wrongly. Payouts wait afterwards, as after changed bank details. */
export const CorrectTaxProfileBody = z.strictObject({ pan: Pan, reason });
export const TaxProfile = z.object({
  userId: Id,
  panMask: z.string(),
  /** Nothing is paid out before this. */
  payableFrom: Instant,
});
export type TaxProfile = z.infer<typeof TaxProfile>;

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
/** Open ones, oldest first; resolved ones, newest first. */
export const CaseList = z.object({ cases: z.array(Case), nextCursor: z.string().nullable() });
export const ListCasesQuery = z.object({
  state: Case.shape.state.default('open'),
  kind: name.optional(),
  cursor,
});
export const ResolveCaseBody = z.strictObject({ resolution: reason });

export const AdjustmentLine = z.strictObject({
  class: name,
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

/** Proposals for a second person to decide, oldest first; others newest first. */
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
  nextCursor: z.string().nullable(),
});
export type AdjustmentList = z.infer<typeof AdjustmentList>;
export const ListAdjustmentsQuery = z.object({ state: Adjustment.shape.state.optional(), cursor });

/** Which approved change by hand has solved a line of a settlement. */
export const SolveLineBody = z.strictObject({ adjustmentId: Id });
export const SolvedLine = z.object({
  settlementId: z.string(),
  line: z.int(),
  /** What of the line is unexplained still. */
  openPaise: z.int(),
  replayed: z.boolean(),
});
export type SolvedLine = z.infer<typeof SolvedLine>;

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
  subject: HumanText.max(100).optional(),
  /** All whose action begins with it, such as `suspicion.`. */
  action: name.optional(),
  cursor: z.coerce.number().int().positive().optional(),
});

/** Of one promotion, whoever agrees. */
export const promotionTokensMax = 100_000;
export const GrantTokensBody = z.strictObject({
  userId: Id,
  tokens: Tokens.min(1).max(promotionTokensMax),
  expiresAt: Instant,
  reason,
});
/** `given` at once, or `proposed` to a second of the staff, where it is more than one may give alone in a day. */
export const PromotionState = z.enum(['given', 'proposed', 'approved', 'rejected']);
export const GrantedTokens = z.object({
  id: Id,
  state: PromotionState,
  /** Null as long as nothing was given. */
  lotId: Id.nullable(),
  tokens: Tokens,
  replayed: z.boolean(),
});
export type GrantedTokens = z.infer<typeof GrantedTokens>;
/** What was given and by whom; proposals that wait, oldest first, others newest first. */
export const PromotionList = z.object({
  promotions: z.array(
    z.object({
      id: Id,
      state: PromotionState,
      viewerId: Id,
      tokens: Tokens,
      expiresAt: Instant,
      reason: z.string(),
      proposedBy: Id,
      decidedBy: Id.nullable(),
      createdAt: Instant,
      decidedAt: Instant.nullable(),
    }),
  ),
  nextCursor: z.string().nullable(),
});
export type PromotionList = z.infer<typeof PromotionList>;
export const ListPromotionsQuery = z.object({
  state: PromotionState.optional(),
  cursor,
});

export const BanBody = z.strictObject({ reason });

/** The balance of one account at a moment. */
export const BalanceQuery = z.object({
  class: name,
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
