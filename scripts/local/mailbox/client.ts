// A client of the mailbox, for tests: what has come, and the faults that it commits.
import { z } from 'zod';
import type { MailFault } from './faults.ts';
import { KeptMail } from './mail-store.ts';

export type MailboxClient = ReturnType<typeof createMailboxClient>;

export function createMailboxClient(options: { url: string; apiKey: string }) {
  const { url, apiKey } = options;

  async function ask(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok)
      throw new Error(`the mailbox answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  return {
    url,
    /** Newest first: to this address, or all. */
    async list(to?: string): Promise<KeptMail[]> {
      const query = to === undefined ? '' : `?${new URLSearchParams({ to })}`;
      return z.object({ mails: KeptMail.array() }).parse(await ask('GET', `/mails${query}`)).mails;
    },
    /** Takes the place of the fault before. */
    async setFault(fault: Partial<MailFault>): Promise<void> {
      await ask('POST', '/mailbox/faults', fault);
    },
    async resetFaults(): Promise<void> {
      await ask('DELETE', '/mailbox/faults');
    },
    async clear(): Promise<void> {
      await ask('DELETE', '/mailbox/mails');
    },
  };
}
