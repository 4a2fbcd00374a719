// The body of `PATCH /v1/disputes/:id/contest`: the evidence, and whether it is a draft or submitted.
import { z } from 'zod';
import { badField } from './refusal.ts';

const summaryCharsMax = 1_000;
const documentsMax = 20;

const Documents = z.array(z.string().startsWith('doc_')).max(documentsMax).nullable();

export const Evidence = z.object({
  amount: z.int().min(1).nullable(),
  summary: z.string().max(summaryCharsMax).nullable(),
  shipping_proof: Documents,
  billing_proof: Documents,
  cancellation_proof: Documents,
  customer_communication: Documents,
  proof_of_service: Documents,
  explanation_letter: Documents,
  refund_confirmation: Documents,
  access_activity_log: Documents,
  refund_cancellation_policy: Documents,
  term_and_conditions: Documents,
  others: z
    .array(z.object({ type: z.string(), document_ids: z.array(z.string().startsWith('doc_')) }))
    .max(documentsMax)
    .nullable(),
  submitted_at: z.int().nullable(),
});
export type Evidence = z.infer<typeof Evidence>;

export const noEvidence: Evidence = {
  amount: null,
  summary: null,
  shipping_proof: null,
  billing_proof: null,
  cancellation_proof: null,
  customer_communication: null,
  proof_of_service: null,
  explanation_letter: null,
  refund_confirmation: null,
  access_activity_log: null,
  refund_cancellation_policy: null,
  term_and_conditions: null,
  others: null,
  submitted_at: null,
};

const Body = Evidence.omit({ submitted_at: true })
  .partial()
  .extend({ action: z.enum(['draft', 'submit']).default('draft') });

export interface ContestRequest {
  action: 'draft' | 'submit';
  /** What the request leaves out stays as it was. */
  evidence: Omit<z.output<typeof Body>, 'action'>;
}

/** @throws GatewayRefusal that names the first field that does not fit. */
export function parseContestRequest(json: unknown): ContestRequest {
  const parsed = Body.safeParse(json);
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join('.') ?? '';
    throw badField(field, `The ${field} field is invalid.`);
  }
  const { action, ...evidence } = parsed.data;
  return { action, evidence };
}
