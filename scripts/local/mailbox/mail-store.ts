// The mails that have come, newest first; the oldest are forgotten.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';

export const mailsMaxDefault = 200;

export const KeptMail = z.object({
  id: z.string(),
  /** What the sender calls it: its idempotency key, or its Message-ID. */
  senderId: z.string().nullable(),
  via: z.enum(['http', 'smtp']),
  from: z.string(),
  to: z.array(z.string()),
  subject: z.string(),
  text: z.string(),
  html: z.string().nullable(),
  receivedAt: z.iso.datetime(),
});
export type KeptMail = z.infer<typeof KeptMail>;

export interface MailStore {
  /** Grows with every change. */
  readonly version: number;
  keep(mail: Omit<KeptMail, 'id' | 'receivedAt'>): KeptMail;
  /** Newest first: to this address, or all. */
  list(to?: string): KeptMail[];
  find(id: string): KeptMail | undefined;
  clear(): void;
}

export function createMailStore(mailsMax: number): MailStore {
  const mails = new Map<string, KeptMail>();
  let version = 0;

  return {
    get version() {
      return version;
    },
    keep(mail) {
      const kept = { ...mail, id: randomUUID(), receivedAt: new Date().toISOString() };
      mails.set(kept.id, kept);
      const [oldest] = mails.keys();
      if (mails.size > mailsMax && oldest !== undefined) mails.delete(oldest);
      version += 1;
      return kept;
    },
    list(to) {
      const wanted = to?.toLowerCase();
      return [...mails.values()]
        .filter((mail) => !wanted || mail.to.some((address) => address.toLowerCase() === wanted))
        .reverse();
    },
    find: (id) => mails.get(id),
    clear() {
      mails.clear();
      version += 1;
    },
  };
}
