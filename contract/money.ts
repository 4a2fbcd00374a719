// Money: whole tokens and whole paise, never fractions, never floating point.
import { z } from 'zod';

export const tipTokensMin = 1;
export const tipTokensMax = 10_000;
export const tipMessageCharsMax = 200;

/** A count of viewer tokens. */
export const Tokens = z.int();
/** An amount in paise, 1/100 of an Indian rupee. */
export const Paise = z.int();

export const TipAmount = z.int().min(tipTokensMin).max(tipTokensMax);

export const Currency = z.literal('INR');

/** What a performer is credited for each token tipped, and since which version of the policy. */
export const FeePolicy = z.object({
  version: z.int().positive(),
  payoutPaisePerToken: Paise.positive(),
});
export type FeePolicy = z.infer<typeof FeePolicy>;
