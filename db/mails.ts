// Mails that wait to be sent, sealed: taken for one attempt after the other until one of them ends well.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

const failureCharsMax = 200;

/** A mail, for one attempt to send it. */
export type TakenMail = z.infer<typeof TakenMail>;
const TakenMail = z.object({
  id: z.uuid(),
  kind: z.string(),
  /** Receiver, subject and text. */
  sealed: z.string(),
  /** Of this mail, from 1. */
  attempt: z.int(),
});

export type MailState = z.infer<typeof MailState>;
const MailState = z.enum(['waiting', 'sent', 'failed']);

/** Keeps a mail, whose first attempt is its caller's: nobody else takes it within the next two minutes. */
export async function queueMail(
  db: Db,
  mail: { id: string; kind: string; sealed: string },
): Promise<void> {
  await db.execute(sql`select queue_mail(${mail.id}::uuid, ${mail.kind}, ${mail.sealed})`);
}

/** Mails whose turn it is; nobody else takes them within the next two minutes. */
export async function takeMailsToSend(db: Db, limit: number): Promise<TakenMail[]> {
  return callFunction(db, sql`select mails_to_send(${limit}) as result`, TakenMail.array());
}

/** It was taken by a provider: what it said is forgotten. */
export async function noteMailSent(db: Db, mailId: string): Promise<void> {
  await db.execute(sql`select mail_sent(${mailId}::uuid)`);
}

/** An attempt has failed. Answers what became of the mail; one that was overtaken changes nothing. */
export async function noteMailFailed(
  db: Db,
  attempt: { mailId: string; attempt: number; failure: string; isFinal: boolean },
): Promise<MailState> {
  const failure = attempt.failure.slice(0, failureCharsMax);
  return callFunction(
    db,
    sql`select to_jsonb(mail_failed(${attempt.mailId}::uuid, ${attempt.attempt}, ${failure}, ${attempt.isFinal})) as result`,
    MailState,
  );
}

/** Removes mails of so long ago that have ended. Answers how many. */
export async function forgetMails(db: Db, keepSeconds: number): Promise<number> {
  return callFunction(
    db,
    sql`select to_jsonb(forget_mails(make_interval(secs => ${keepSeconds}))) as result`,
    z.int(),
  );
}
