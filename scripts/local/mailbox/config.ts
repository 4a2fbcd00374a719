// What the mailbox reads from its environment.
import { z } from 'zod';
import { PortText, readLocalEnvironment } from '../environment.ts';

/** @throws StartRefused in production, and when variables are missing or wrong. */
export function readConfig(env: Record<string, string | undefined>) {
  const parsed = readLocalEnvironment(
    'The mailbox',
    {
      MAILBOX_PORT: PortText.default(4800),
      MAILBOX_SMTP_PORT: PortText.default(4825),
      MAIL_API_KEY: z.string().min(8),
      LOG_LEVEL: z.string().default('info'),
    },
    env,
  );
  return {
    port: parsed.MAILBOX_PORT,
    smtpPort: parsed.MAILBOX_SMTP_PORT,
    apiKey: parsed.MAIL_API_KEY,
    logLevel: parsed.LOG_LEVEL,
  };
}
