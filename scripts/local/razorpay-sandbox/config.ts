// What the payment sandbox reads from its environment.
import { z } from 'zod';
import { PortText, readLocalEnvironment } from '../environment.ts';

export interface SandboxConfig {
  port: number;
  keyId: string;
  keySecret: string;
  webhookSecret: string;
  /** Where webhooks go; without it events are only listed. */
  webhookUrl: string | null;
  /** Where orders survive a restart; without it they live in memory. */
  stateFile: string | null;
  logLevel: string;
}

/** @throws StartRefused in production, and when variables are missing or wrong. */
export function readConfig(env: Record<string, string | undefined>): SandboxConfig {
  const parsed = readLocalEnvironment(
    'The payment sandbox',
    {
      SANDBOX_PORT: PortText.default(4700),
      RAZORPAY_KEY_ID: z
        .string()
        .startsWith('rzp_test_', 'the sandbox takes test keys only: rzp_test_…'),
      RAZORPAY_KEY_SECRET: z.string().min(8),
      RAZORPAY_WEBHOOK_SECRET: z.string().min(8),
      RAZORPAY_WEBHOOK_URL: z.url().optional(),
      SANDBOX_STATE_FILE: z.string().min(1).optional(),
      LOG_LEVEL: z.string().default('info'),
    },
    env,
  );
  return {
    port: parsed.SANDBOX_PORT,
    keyId: parsed.RAZORPAY_KEY_ID,
    keySecret: parsed.RAZORPAY_KEY_SECRET,
    webhookSecret: parsed.RAZORPAY_WEBHOOK_SECRET,
    webhookUrl: parsed.RAZORPAY_WEBHOOK_URL ?? null,
    stateFile: parsed.SANDBOX_STATE_FILE ?? null,
    logLevel: parsed.LOG_LEVEL,
  };
}
