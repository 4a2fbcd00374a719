// Failpoints: places on the paths of money where tests end the process, to see that nothing is lost or doubled.

/** Behind every await of the paths of money, by the path and what has just been done. */
export const moneyFailpoints = [
  'order.placed',
  'order.opened',
  'order.kept',
  'upi.reopened',
  'upi.begun',
  'upi.noted',
  'verify.order-found',
  'verify.signature-checked',
  'verify.payment-fetched',
  'payment.refunds-listed',
  'payment.noted',
  'payment.captured',
  'payment.credited',
  'webhook.signature-checked',
  'webhook.recorded',
  'webhook.subject-taken',
  'webhook.refund-noted',
  'webhook.dispute-noted',
  'webhook.payout-noted',
  'webhook.applied',
  'webhook.marked',
  'webhook.case-opened',
  'tip.posted',
  'tip.published',
  'refund.requested',
  'refund.decided',
  'refund.taken',
  'refund.sent',
  'refund.noted',
  'payout.requested',
  'payout.approved',
  'payout.rejected',
  'payout.looked-for',
  'payout.fetched',
  'payout.ended',
  'payout.held',
  'payout.hold-lifted',
  'payout.taken',
  'payout.searched',
  'payout.too-old',
  'payout.leaving',
  'payout.sent',
  'payout.noted',
  'account.set',
  'tax-profile.set',
  'tax-profile.corrected',
  'account.taken',
  'account.contact-made',
  'account.contact-kept',
  'account.fund-account-made',
  'account.fund-account-kept',
  'account.validated',
  'account.validation-paid',
  'account.name-asked',
  'account.name-questioned',
  'account.noted',
  'reconcile.taken',
  'reconcile.listed',
  'settlement.listed',
  'settlement.unknown-found',
  'settlement.payment-fetched',
  'settlement.refund-fetched',
  'settlement.refund-noted',
  'settlement.dispute-fetched',
  'settlement.entity-taken',
  'settlement.booked',
  'settlement.case-opened',
  'settlement.late-found',
  'settlement.solved',
  'dispute.listed',
  'dispute.payment-fetched',
  'dispute.payment-taken',
  'dispute.noted',
  'reversal.listed',
  'reversal.noted',
  'payout-balance.read',
  'payout-balance.noted',
  'adjustment.proposed',
  'adjustment.decided',
  'rule.set',
  'rule.decided',
  'promotion.granted',
  'promotion.decided',
  'chain.sealed',
  'checkpoint.read',
  'checkpoint.signed',
  'checkpoint.kept',
  'earnings.released',
  'goals.closed',
  'reservations.closed',
  'promotions.expired',
  'entry.bought',
  'entries.settled',
  'invoices.issued',
  'fraud.found',
] as const;
export type Failpoint = (typeof moneyFailpoints)[number];

/** Ends the process when a test has asked for it here; else does nothing. */
export type ReachFailpoint = (name: Failpoint) => void;

/** `text` (`FAILPOINTS`) names failpoints, separated by commas; `die` must not return. */
export function createFailpoints(text: string, die: (name: Failpoint) => void): ReachFailpoint {
  const armed = new Set(text.split(',').map((part) => part.trim()));
  armed.delete('');
  for (const name of armed) {
    if (!(moneyFailpoints as readonly string[]).includes(name)) {
      throw new Error(`there is no failpoint "${name}"`);
    }
  }
  if (armed.size === 0) return () => {};
  return (name) => {
    if (armed.has(name)) die(name);
  };
}
