// The text of a webhook that is kept: what it says of money, without whose it is.
import { z } from 'zod';

/** Ids, amounts and words of the gateway are shorter; whatever is longer is something else. */
const keptTextMax = 64;

const Kept = z
  .union([z.string().max(keptTextMax), z.number(), z.boolean()])
  .optional()
  .catch(undefined);

/** Only what is named here is kept of an entity: the gateway may tell more of a payer tomorrow than it does today. */
const entityOf = (...names: string[]) =>
  z
    .object({ entity: z.object(Object.fromEntries(names.map((name) => [name, Kept]))) })
    .optional()
    .catch(undefined);

const always = ['id', 'amount', 'currency', 'status', 'created_at'];
const KeptPayload = z.object({
  payment: entityOf(
    ...always,
    'order_id',
    'amount_refunded',
    'captured',
    'method',
    'fee',
    'tax',
    'error_code',
    'error_reason',
  ),
  refund: entityOf(...always, 'payment_id'),
  dispute: entityOf(
    ...always,
    'payment_id',
    'amount_deducted',
    'reason_code',
    'respond_by',
    'phase',
  ),
  payout: entityOf(...always, 'fund_account_id', 'mode', 'fees', 'tax'),
});

/** `payload` as the gateway sent it; what does not look as it should is left out. */
export function textToKeep(payload: unknown): string {
  return JSON.stringify(KeptPayload.parse(payload));
}
