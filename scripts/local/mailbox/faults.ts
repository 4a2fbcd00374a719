// The faults that the mailbox commits on request, the same over HTTP and SMTP.
import { z } from 'zod';

const delayMsMax = 60_000;

export type MailFault = z.infer<typeof MailFault>;
export const MailFault = z.strictObject({
  /**
   * `refuse`: the receiver is refused for good; `error`: a fault of the provider's own; `slow`: the mail is taken
   * after `delayMs`; `drop-answer`: the mail is taken, and the connection cut before the answer.
   */
  mode: z.enum(['none', 'refuse', 'error', 'slow', 'drop-answer']).default('none'),
  delayMs: z.int().min(0).max(delayMsMax).default(0),
  /** How often it hits before it is over; null: for ever. */
  times: z.int().min(1).nullable().default(null),
  /** Hits only mails to this address; null: all. */
  to: z.string().max(254).nullable().default(null),
});

export interface FaultSwitch {
  readonly current: MailFault;
  set(fault: MailFault): void;
  /** The fault that a mail to this address is to suffer; it counts as a hit. */
  hit(to: string): MailFault;
}

export const noFault: MailFault = MailFault.parse({});

export function createFaultSwitch(): FaultSwitch {
  let current = noFault;
  let hits = 0;
  return {
    get current() {
      return current;
    },
    set(fault) {
      current = fault;
      hits = 0;
    },
    hit(to) {
      if (current.to !== null && current.to.toLowerCase() !== to.toLowerCase()) return noFault;
      if (current.times !== null && hits >= current.times) return noFault;
      hits += 1;
      return current;
    },
  };
}
