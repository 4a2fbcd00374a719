// Accounts: registering, the links that are mailed, and what they change.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { type LinkPurpose, Me } from '#contract';
import { hex } from './bytes.ts';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import type { TakenMail } from './mails.ts';

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

const linkJson = ({ mail, hash, ...link }: KeptLink) =>
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
export async function verifyEmail(db: Db, hash: Uint8Array): Promise<void> {
  await callFunction(db, sql`select verify_email(${bytea(hash)}) as result`, z.unknown());
}
