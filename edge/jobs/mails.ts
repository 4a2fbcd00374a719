// Mails: sends those that nobody has sent behind their answer, and those whose turn has come again.
import { takeMailsToSend } from '#db';
import type { Deps } from '../deps.ts';
import { type Lease, unleased } from './lease.ts';

/** With every provider at its slowest a round is over before others may take its mails. */
const mailsPerRoundMax = 15;
const mailsAtOnceMax = 5;

/** One round. Answers what became of the mails; a provider that is away is no failure of the round. */
export async function sendMails(
  deps: Deps,
  lease: Lease = unleased,
): Promise<{ sent: number; waiting: number; failed: number }> {
  const ended = { sent: 0, waiting: 0, failed: 0 };
  const mails = await takeMailsToSend(deps.db, mailsPerRoundMax);
  const sendInTurn = async () => {
    for (let mail = mails.shift(); mail; mail = mails.shift()) {
      lease.check();
      ended[await deps.mailer.attempt(mail)] += 1;
    }
  };
  await Promise.all(Array.from({ length: mailsAtOnceMax }, sendInTurn));
  return ended;
}
