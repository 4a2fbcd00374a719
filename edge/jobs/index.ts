// Every recurring job, with its pace; run by the Node job runner, and by cron triggers on Workers.
import type { Deps } from '../deps.ts';
import { countViewers, rankStreams } from './audiences.ts';
import { auditBooks, auditWholeBooks } from './audit.ts';
import { sealBooks, signAndWatch } from './chain.ts';
import { followDisputes } from './disputes.ts';
import { eraseClosedAccounts } from './erasure.ts';
import { lookForFraud } from './fraud.ts';
import type { Lease } from './lease.ts';
import { sendMails } from './mails.ts';
import { verifyPayoutAccounts } from './payout-accounts.ts';
import { comparePayoutBalance } from './payout-balance.ts';
import { followReversals } from './payout-reversals.ts';
import { sendPayouts } from './payouts.ts';
import { reconcileOrders } from './reconcile.ts';
import { sendRefunds } from './refunds.ts';
import { relayEvents } from './relay.ts';
import { reconcileSettlements } from './settlements.ts';
import { sweepStreams } from './sweep.ts';
import { tidy } from './tidy.ts';
import {
  closeReservations,
  numberInvoices,
  releaseWaitingEarnings,
  settleStreamEntries,
} from './upkeep.ts';

export interface Job {
  name: string;
  everySeconds: number;
  /** Reads all books, which takes longer than a request may. */
  readsBooks?: true;
  /** Calls addresses that only let known machines in, which Workers are not. */
  nodeOnly?: true;
  /** Asks its lease before each effect that it has outside of the database. */
  run: (deps: Deps, lease: Lease) => Promise<unknown>;
}

export const jobs: readonly Job[] = [
  { name: 'relay', everySeconds: 1, run: relayEvents },
  { name: 'seal', everySeconds: 1, run: sealBooks },
  { name: 'mails', everySeconds: 1, run: sendMails },
  { name: 'audiences', everySeconds: 3, run: countViewers },
  { name: 'tip-ranks', everySeconds: 10, run: rankStreams },
  { name: 'sweep', everySeconds: 5, run: sweepStreams },
  { name: 'payout-accounts', everySeconds: 5, nodeOnly: true, run: verifyPayoutAccounts },
  { name: 'payouts', everySeconds: 5, nodeOnly: true, run: sendPayouts },
  { name: 'refunds', everySeconds: 10, run: sendRefunds },
  { name: 'reservations', everySeconds: 10, run: closeReservations },
  { name: 'entries', everySeconds: 5, run: settleStreamEntries },
  { name: 'invoices', everySeconds: 10, run: numberInvoices },
  { name: 'reconcile', everySeconds: 60, run: reconcileOrders },
  { name: 'checkpoint', everySeconds: 60, run: signAndWatch },
  { name: 'whole-audit', everySeconds: 60, readsBooks: true, run: auditWholeBooks },
  { name: 'earnings', everySeconds: 300, readsBooks: true, run: releaseWaitingEarnings },
  { name: 'disputes', everySeconds: 900, run: followDisputes },
  { name: 'payout-reversals', everySeconds: 900, nodeOnly: true, run: followReversals },
  { name: 'fraud', everySeconds: 900, readsBooks: true, run: lookForFraud },
  { name: 'erasure', everySeconds: 900, run: eraseClosedAccounts },
  { name: 'tidy', everySeconds: 3600, run: tidy },
  { name: 'audit', everySeconds: 3600, readsBooks: true, run: auditBooks },
  {
    name: 'payout-balance',
    everySeconds: 86_400,
    readsBooks: true,
    nodeOnly: true,
    run: comparePayoutBalance,
  },
  { name: 'settlements', everySeconds: 3600, readsBooks: true, run: reconcileSettlements },
];
