// The controls of the mailbox, for tests: its faults, and forgetting what has come. They want the key.
import { Hono } from 'hono';
import { bearerAuth, type MailboxEnv } from './api.ts';
import { type FaultSwitch, MailFault, noFault } from './faults.ts';
import type { MailStore } from './mail-store.ts';

/** The routes under `/mailbox`. */
export function createControl(parts: { store: MailStore; faults: FaultSwitch; apiKey: string }) {
  const { store, faults } = parts;
  return new Hono<MailboxEnv>()
    .use(bearerAuth(parts.apiKey))
    .get('/faults', (c) => c.json(faults.current))
    .post('/faults', async (c) => {
      const parsed = MailFault.safeParse(await c.req.json().catch(() => null));
      if (!parsed.success) return c.json({ message: parsed.error.message }, 422);
      faults.set(parsed.data);
      return c.json(faults.current);
    })
    .delete('/faults', (c) => {
      faults.set(noFault);
      return c.json(faults.current);
    })
    .delete('/mails', (c) => {
      store.clear();
      return c.json({ mails: [] });
    });
}
