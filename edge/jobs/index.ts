// Every recurring job, with its pace; run by the Node job runner, and by cron triggers on Workers.
import type { Deps } from '../deps.ts';
import { auditBooks } from './audit.ts';
import { reconcileOrders } from './reconcile.ts';
import { relayEvents } from './relay.ts';
import { sweepStreams } from './sweep.ts';
import { tidy } from './tidy.ts';

export interface Job {
  name: string;
  everySeconds: number;
  /** Reads all books, which takes longer than a request may. */
  readsBooks?: true;
  run: (deps: Deps) => Promise<unknown>;
}

export const jobs: readonly Job[] = [
  { name: 'relay', everySeconds: 1, run: relayEvents },
  { name: 'sweep', everySeconds: 5, run: sweepStreams },
  { name: 'reconcile', everySeconds: 60, run: reconcileOrders },
  { name: 'tidy', everySeconds: 3600, run: tidy },
  { name: 'audit', everySeconds: 3600, readsBooks: true, run: auditBooks },
];
