// Accounts: registering, the links that are mailed, and what they change.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Id, type LinkPurpose, Me, Revocation } from '#contract';
import { hex } from './bytes.ts';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import type { TakenMail } from './mails.ts';
import { OpenSession } from './sessions.ts';

/** A link as it is kept, and the mail that it is in. */
export interface KeptLink {
  purpose: LinkPurpose;
  /** The address that it is sent to. */
  email: string;
  /** Of its secret. */
  hash: Uint8Array;
  ttlSeconds: number;
  mail: TakenMail;
}

export const linkJson = ({ mail, hash, ...link }: KeptLink) =>
  sql`${JSON.stringify({ ...link, hash: hex(hash), mail: mailOf(mail) })}::jsonb`;
const mailOf = ({ id, kind, sealed }: TakenMail) => ({ id, kind, sealed });
const bytea = (hash: Uint8Array) => sql`decode(${hex(hash)}, 'hex')`;

/** Adds a viewer's account, and mails the link that shows whose mailbox it is. Refuses `email-taken`, `username-taken`. */
export async function registerUser(
  db: Db,
  user: {
    email: string;
    username: string;
    passwordHash: string;
    /** `YYYY-MM-DD` */
    dateOfBirth: string;
    country: string;
  },
  link: KeptLink,
): Promise<Me> {
  return callFunction(
    db,
    sql`select register_user(${JSON.stringify(user)}::jsonb, ${linkJson(link)}) as result`,
    Me,
  );
}

/** Keeps a link to show that a mailbox is its person's; false when they have shown it. */
export async function askVerification(db: Db, userId: string, link: KeptLink): Promise<boolean> {
  return callFunction(
    db,
    sql`select to_jsonb(ask_verification(${userId}, ${linkJson(link)})) as result`,
    z.boolean(),
  );
}

/** Somebody has opened the link that was sent to their address. Refuses `link-over`. */
export async function verifyEmail(db: Db, hash: Uint8Array, userId: string): Promise<void> {
  await callFunction(
    db,
    sql`select verify_email(${bytea(hash)}, ${userId}) as result`,
    z.unknown(),
  );
}

const LinkOwner = z.object({
  userId: Id,
  username: z.string(),
  /** The account's address, which may be another one than the link was sent to. */
  email: z.string(),
  emailVerified: z.boolean(),
  sentTo: z.string(),
});

/** Whose a link is that works; null for any other. */
export async function findLinkOwner(
  db: Db,
  hash: Uint8Array,
  purpose: LinkPurpose,
): Promise<z.infer<typeof LinkOwner> | null> {
  return callFunction(
    db,
    sql`select link_owner(${bytea(hash)}, ${purpose}) as result`,
    LinkOwner.nullable(),
  );
}

/** Who is written to at an address, when nobody is logged in; null for nobody. */
export async function findReceiver(
  db: Db,
  email: string,
): Promise<{ userId: string; username: string } | null> {
  return callFunction(
    db,
    sql`select receiver_of(${email}) as result`,
    z.object({ userId: Id, username: z.string() }).nullable(),
  );
}

/** Keeps a link that was asked for without a log-in; false for somebody who is not there. */
export async function askLink(db: Db, userId: string, link: KeptLink): Promise<boolean> {
  return callFunction(
    db,
    sql`select to_jsonb(ask_link(${userId}, ${linkJson(link)})) as result`,
    z.boolean(),
  );
}

const Credentials = z.object({
  email: z.string(),
  username: z.string(),
  passwordHash: z.string(),
  hasSecondFactor: z.boolean(),
});
export type Credentials = z.infer<typeof Credentials>;

/** What somebody who is logged in shows again before they change their account. */
export async function findCredentials(db: Db, userId: string): Promise<Credentials | null> {
  return callFunction(db, sql`select credentials_of(${userId}) as result`, Credentials.nullable());
}

export const mailJson = (mail: TakenMail) => sql`${JSON.stringify(mailOf(mail))}::jsonb`;

/** Takes the password chosen by a mailed link; answers the sessions that ended. Refuses `link-over`. */
export async function resetPassword(
  db: Db,
  reset: { hash: Uint8Array; passwordHash: string; mail: TakenMail },
): Promise<Revocation[]> {
  return callFunction(
    db,
    sql`select reset_password(${bytea(reset.hash)}, ${reset.passwordHash}, ${mailJson(reset.mail)}) as result`,
    Revocation.array(),
  );
}

/** Takes another password; all sessions but this one end. Refuses `password-wrong` when it was changed meanwhile. */
export async function changePassword(
  db: Db,
  change: {
    userId: string;
    sessionId: string;
    oldHash: string;
    newHash: string;
    mail: TakenMail;
  },
): Promise<Revocation[]> {
  const { userId, sessionId, oldHash, newHash, mail } = change;
  return callFunction(
    db,
    sql`select change_password(${userId}, ${sessionId}, ${oldHash}, ${newHash}, ${mailJson(mail)}) as result`,
    Revocation.array(),
  );
}

/** Keeps a link to the address that is to be the account's. Refuses `email-taken`, `email-changed-lately`. */
export async function askEmailChange(db: Db, userId: string, link: KeptLink): Promise<void> {
  await callFunction(
    db,
    sql`select ask_email_change(${userId}, ${linkJson(link)}) as result`,
    z.unknown(),
  );
}

/**
 * Moves an account to the address that a link was sent to. `undo` takes it back; null where nobody has shown that the
 * address of before is theirs. Refuses `link-over`, `email-taken`, `email-changed-lately`.
 */
export async function changeEmail(
  db: Db,
  hash: Uint8Array,
  userId: string,
  undo: KeptLink | null,
): Promise<void> {
  const kept = undo ? linkJson(undo) : sql`null`;
  await callFunction(
    db,
    sql`select change_email(${bytea(hash)}, ${userId}, ${kept}) as result`,
    z.unknown(),
  );
}

/** Takes a change of the address back; answers the sessions that ended. Refuses `link-over`, `email-taken`. */
export async function undoEmail(db: Db, hash: Uint8Array): Promise<Revocation[]> {
  return callFunction(db, sql`select undo_email(${bytea(hash)}) as result`, Revocation.array());
}

/** Uses a link that logs in. Refuses `link-over`, `account-banned`, `account-closing`. */
export async function useLoginLink(
  db: Db,
  hash: Uint8Array,
): Promise<{ userId: string; hasSecondFactor: boolean }> {
  return callFunction(
    db,
    sql`select use_login_link(${bytea(hash)}) as result`,
    z.object({ userId: Id, hasSecondFactor: z.boolean() }),
  );
}

/** Calls somebody by another name; null when the session has ended. Refuses `username-taken`, `username-changed-lately`. */
export async function renameUser(
  db: Db,
  of: { userId: string; sessionId: string; username: string },
): Promise<OpenSession | null> {
  return callFunction(
    db,
    sql`select rename_user(${of.userId}, ${of.sessionId}, ${of.username}) as result`,
    OpenSession.nullable(),
  );
}

/** Removes names of before whose time is over. */
export async function forgetUsernames(db: Db): Promise<void> {
  await callFunction(db, sql`select to_jsonb(forget_usernames()) as result`, z.int());
}
