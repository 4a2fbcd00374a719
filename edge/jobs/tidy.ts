// Tidying: removes what nobody needs any more.
import {
  forgetChallenges,
  forgetMails,
  forgetRevocations,
  forgetUsernames,
  forgetWebhooks,
  removeOldSessions,
} from '#db';
import type { Deps } from '../deps.ts';

const daySeconds = 24 * 3600;
const sessionsKeptSeconds = 30 * daySeconds;
/** Far longer than anything lives that they end. */
const revocationsKeptSeconds = daySeconds;
/** For whoever asks whether a mail went: of its text nothing is kept that long. */
const mailsKeptSeconds = 30 * daySeconds;
/** For whoever asks what the gateway said: buyers can dispute a payment for about four months. */
export const webhooksKeptSeconds = 180 * daySeconds;
const webhooksPerCallMax = 5_000;

/** One round. Answers how many sessions it removed, and of how many webhooks nothing is kept any more. */
export async function tidy(
  deps: Pick<Deps, 'db'>,
): Promise<{ sessions: number; webhooks: number }> {
  const sessions = await removeOldSessions(deps.db, sessionsKeptSeconds);
  await forgetRevocations(deps.db, revocationsKeptSeconds);
  await forgetChallenges(deps.db);
  await forgetUsernames(deps.db);
  await forgetMails(deps.db, mailsKeptSeconds);
  let webhooks = 0;
  for (;;) {
    const forgotten = await forgetWebhooks(deps.db, webhooksKeptSeconds, webhooksPerCallMax);
    webhooks += forgotten;
    if (forgotten < webhooksPerCallMax) return { sessions, webhooks };
  }
}
