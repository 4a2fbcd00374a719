// What of a purchase can be given back, in a few words: for the lists of purchases and the dialog.
import type { RefundObstacle, Returnable } from '#contract';
import { inRupees } from './amounts.ts';

/** Why none of the unspent tokens can be given back. */
export const obstacleWords: Record<RefundObstacle, string> = {
  'not-captured': 'the payment is not complete',
  'too-late': 'the time to give them back is over',
  disputed: 'your bank disputes the payment',
  spent: 'only unspent tokens can be given back',
  'given-back': 'the money was given back already',
};

/** "12 of 50 tokens unspent, ₹11.80 comes back". */
export function returnableWords({
  tokens,
  unspentTokens,
  refundPaise,
  obstacle,
}: Returnable): string {
  if (unspentTokens === 0) return 'No tokens unspent';
  const counts = [unspentTokens, tokens].map((count) => count.toLocaleString('en-IN'));
  const unspent = `${counts.join(' of ')} tokens unspent`;
  return obstacle
    ? `${unspent}; ${obstacleWords[obstacle]}`
    : `${unspent}, ${inRupees(refundPaise)} comes back`;
}

export function canGiveBack({ unspentTokens, obstacle }: Returnable): boolean {
  return unspentTokens > 0 && obstacle === null;
}
