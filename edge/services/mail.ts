// Mail: kept sealed before anything else, sent behind the answer, and tried again until a provider has taken it.
import { z } from 'zod';
import {
  type Db,
  type MailState,
  noteMailFailed,
  noteMailSent,
  queueMail,
  type TakenMail,
} from '#db';
import type { RuntimeBindings } from '../deps.ts';
import type { Log } from './log.ts';
import type { Vault } from './vault.ts';

export const mailKinds = [
  'verify',
  'reset',
  'change',
  'changed',
  'password-changed',
  'second-factor',
  'new-device',
  'login',
  'account-closing',
  'account-erased',
] as const;
export type MailKind = (typeof mailKinds)[number];

export type MailContent = z.infer<typeof MailContent>;
const MailContent = z.object({ subject: z.string(), text: z.string(), html: z.string() });

export interface OutgoingMail extends MailContent {
  /** One for all attempts: by it a provider, or a mailbox, knows a mail that comes again. */
  id: string;
  to: string;
}

/** `refused`: this mail will never go; `later`: it may have gone, or will go another time. */
type MailOutcome = 'refused' | 'later';

export class MailFailure extends Error {
  readonly outcome: MailOutcome;
  /** What happened, without a word of the mail, its receiver or the provider's own prose. */
  readonly reason: string;

  constructor(outcome: MailOutcome, reason: string, cause?: unknown) {
    super(reason, { cause });
    this.name = 'MailFailure';
    this.outcome = outcome;
    this.reason = reason;
  }
}

export interface MailSender {
  /** Resolves when the provider has taken the mail. Throws MailFailure. */
  send(mail: OutgoingMail): Promise<void>;
}

export interface Mailer {
  /**
   * Keeps a mail, and makes a first attempt behind the answer. Once it resolves the mail is as good as sent, though
   * the process may die and the provider be away.
   */
  queue(
    kind: MailKind,
    to: string,
    content: MailContent,
    defer: RuntimeBindings['defer'],
  ): Promise<void>;
  /**
   * A mail that an act of the database is to keep itself, by `queue_mail` in the same transaction; whoever calls
   * that act then makes the first attempt, deferred.
   */
  seal(kind: MailKind, to: string, content: MailContent): Promise<TakenMail>;
  /** One attempt. Answers what became of the mail; throws only when that could not be noted. */
  attempt(mail: TakenMail): Promise<MailState>;
}

/** What is sealed; its bytes never change, so that a provider can tell that it is the same mail. */
const Letter = MailContent.extend({ to: z.string() });

/** Sealed text opens in its own row alone. */
const contextOf = (mailId: string) => `mail:${mailId}`;

export function createMailer(parts: {
  db: Db;
  vault: Vault;
  sender: MailSender;
  log: Log;
}): Mailer {
  const { db, vault, sender, log } = parts;

  async function seal(kind: MailKind, to: string, content: MailContent): Promise<TakenMail> {
    const id = crypto.randomUUID();
    const { subject, text, html } = content;
    const letter: z.infer<typeof Letter> = { to, subject, text, html };
    const sealed = await vault.seal(JSON.stringify(letter), contextOf(id));
    return { id, kind, sealed, attempt: 1 };
  }

  async function attempt(mail: TakenMail): Promise<MailState> {
    const fields = { mailId: mail.id, kind: mail.kind, attempt: mail.attempt };
    try {
      const letter = Letter.parse(JSON.parse(await vault.open(mail.sealed, contextOf(mail.id))));
      await sender.send({ id: mail.id, ...letter });
    } catch (error) {
      const known = error instanceof MailFailure ? error : null;
      // Of any other error only the name: its words may be those of the mail.
      const failure = known?.reason ?? (error instanceof Error ? error.name : 'unknown');
      const state = await noteMailFailed(db, {
        mailId: mail.id,
        attempt: mail.attempt,
        failure,
        isFinal: known?.outcome === 'refused',
      });
      if (state === 'failed') log.error('mail given up', { ...fields, failure });
      else log.warn('mail not sent yet', { ...fields, failure });
      return state;
    }
    await noteMailSent(db, mail.id);
    return 'sent';
  }

  return {
    async queue(kind, to, content, defer) {
      const mail = await seal(kind, to, content);
      await queueMail(db, mail);
      defer(attempt(mail));
    },
    seal,
    attempt,
  };
}
