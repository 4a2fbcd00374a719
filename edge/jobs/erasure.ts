// Erasure: takes away what closed accounts say of their people, once the time to have them back is over.
import { eraseAccount, eraseWords, listAccountsToErase, Refusal } from '#db';
import type { Deps } from '../deps.ts';
import { accountErasedMail } from '../services/mail-texts.ts';
import { type Lease, unleased } from './lease.ts';

const accountsPerRoundMax = 20;
const linesPerCallMax = 1_000;

/**
 * One round. Whoever dies in the middle leaves an account that is still due: what was taken away stays so, and the
 * next round takes away the rest. Answers how many accounts were erased.
 */
export async function eraseClosedAccounts(
  deps: Deps,
  lease: Lease = unleased,
): Promise<{ erased: number }> {
  let erased = 0;
  for (const account of await listAccountsToErase(deps.db, accountsPerRoundMax)) {
    lease.check();
    try {
      if (await erase(deps, account, lease)) erased += 1;
    } catch (error) {
      // One that the database refuses to erase keeps nobody else waiting.
      if (!(error instanceof Refusal)) throw error;
      const { userId } = account;
      deps.log.error('an account was not erased', { userId, code: error.code });
    }
  }
  return { erased };
}

async function erase(
  deps: Deps,
  { userId, email, username }: Awaited<ReturnType<typeof listAccountsToErase>>[number],
  lease: Lease,
): Promise<boolean> {
  while ((await eraseWords(deps.db, userId, linesPerCallMax)) > 0) lease.check();
  const mail = await deps.mailer.seal('account-erased', email, accountErasedMail({ username }));
  if (!(await eraseAccount(deps.db, userId, mail))) return false;
  lease.check();
  await deps.mailer.attempt(mail);
  return true;
}
