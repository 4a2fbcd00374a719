// Closing an account, having it back, and its erasure once nobody has wanted it back.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { type CloseAccountBody, ClosedAccount, Closing, Id, Revocation } from '#contract';
import { type KeptLink, linkJson, mailJson } from './accounts.ts';
import { hex } from './bytes.ts';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import type { TakenMail } from './mails.ts';

/** What somebody should know before they close their account. */
export async function readClosing(db: Db, userId: string): Promise<Closing> {
  return callFunction(db, sql`select closing_of(${userId}) as result`, Closing);
}

/** Closes an account; all its sessions end. Refuses `not-closable`, `account-closing`. */
export async function closeAccount(
  db: Db,
  userId: string,
  givenUp: CloseAccountBody['givenUp'],
  link: KeptLink,
): Promise<{ eraseAt: string; revocations: Revocation[] }> {
  return callFunction(
    db,
    sql`select close_account(${userId}, ${JSON.stringify(givenUp)}::jsonb, ${linkJson(link)}) as result`,
    ClosedAccount.extend({ revocations: Revocation.array() }),
  );
}

/** Has a closed account back, by its mailed link. Refuses `link-over`. */
export async function keepAccount(db: Db, hash: Uint8Array): Promise<void> {
  await callFunction(
    db,
    sql`select keep_account(decode(${hex(hash)}, 'hex')) as result`,
    z.unknown(),
  );
}

const DueAccount = z.object({ userId: Id, email: z.string(), username: z.string() });

/** Accounts whose time to be erased has come. */
export async function listAccountsToErase(
  db: Db,
  limit: number,
): Promise<z.infer<typeof DueAccount>[]> {
  return callFunction(db, sql`select accounts_to_erase(${limit}) as result`, DueAccount.array());
}

/** Takes away so many of the lines that somebody has said. Answers how many; 0 when nothing is left of them. */
export async function eraseWords(db: Db, userId: string, limit: number): Promise<number> {
  return callFunction(
    db,
    sql`select to_jsonb(erase_words(${userId}, ${limit})) as result`,
    z.int(),
  );
}

/** Erases an account, and keeps its last mail; false when it was done, or its person has it back. */
export async function eraseAccount(db: Db, userId: string, mail: TakenMail): Promise<boolean> {
  return callFunction(
    db,
    sql`select to_jsonb(erase_account(${userId}, ${mailJson(mail)})) as result`,
    z.boolean(),
  );
}
