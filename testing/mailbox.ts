// The mailbox for tests: what the edge has mailed, read once nothing is on its way any more.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { MailKind } from '../edge/services/mail.ts';
import { createMailboxClient, type MailboxClient } from '../scripts/local/mailbox/client.ts';
import type { KeptMail } from '../scripts/local/mailbox/mail-store.ts';
import { startMailbox } from '../scripts/local/mailbox/server.ts';
import type { TestDatabase } from './database.ts';

const arrivalTimeoutMs = 10_000;
const askEveryMs = 20;

export interface TestMailbox extends MailboxClient {
  apiKey: string;
  smtpUrl: string;
  /** The newest mail to somebody. Throws when there is none though nothing is on its way. */
  newest(to: string): Promise<KeptMail>;
  /** The link in the newest mail of this kind to somebody. Throws when there is none. */
  linkFor(to: string, kind: MailKind): Promise<URL>;
  close(): Promise<void>;
}

/** `database` is the one in which the edge keeps its mails. */
export async function startTestMailbox(database: TestDatabase, log: Logger): Promise<TestMailbox> {
  const apiKey = randomUUID();
  const mailbox = await startMailbox({ port: 0, smtpPort: 0, apiKey, log });
  const client = createMailboxClient({ url: mailbox.url, apiKey });

  /** Mails are sent behind the answer that they belong to: what was queued by then is waited for. */
  async function settle(): Promise<void> {
    const deadline = Date.now() + arrivalTimeoutMs;
    for (;;) {
      const waiting = await database.asOwner(`select kind from mails where state = 'waiting'`);
      if (waiting.length === 0) return;
      if (Date.now() > deadline) throw new Error(`mails that wait: ${JSON.stringify(waiting)}`);
      await delay(askEveryMs);
    }
  }

  async function idsOf(kind: MailKind): Promise<Set<string | null>> {
    const rows = await database.asOwner<{ id: string }>('select id from mails where kind = $1', [
      kind,
    ]);
    return new Set(rows.map(({ id }) => id));
  }

  return {
    ...client,
    apiKey,
    smtpUrl: mailbox.smtpUrl,
    close: mailbox.close,

    async newest(to) {
      await settle();
      const [newest] = await client.list(to);
      if (!newest) throw new Error(`nothing was mailed to ${to}`);
      return newest;
    },

    async linkFor(to, kind) {
      await settle();
      const ids = await idsOf(kind);
      const mail = (await client.list(to)).find(({ senderId }) => ids.has(senderId));
      const link = mail && /^https?:\/\/\S+$/m.exec(mail.text)?.[0];
      if (!link) throw new Error(`no link of the kind ${kind} was mailed to ${to}`);
      return new URL(link);
    },
  };
}
