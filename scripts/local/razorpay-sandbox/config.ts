// What the payment sandbox reads from its environment.
import { z } from 'zod';
import { PortText, readLocalEnvironment, StartRefused } from '../environment.ts';

export interface SandboxConfig {
  port: number;
  keyId: string;
  keySecret: string;
  webhookSecret: string;
  /** Where webhooks go; without it events are only listed. */
  webhookUrl: string | null;
  /** RazorpayX has these of its own only where they are given. */
  payoutKeyId: string | null;
  payoutKeySecret: string | null;
  payoutWebhookUrl: string | null;
  payoutWebhookSecret: string | null;
  /** The account that payouts are paid from. */
  payoutAccountNumber: string | null;
  /** Where everything survives a restart; without it it lives in memory. */
  stateFile: string | null;
  logLevel: string;
}

const TestKeyId = z
  .string()
  .startsWith('rzp_test_', 'the sandbox takes test keys only: rzp_test_…');
const Secret = z.string().min(8);

/** @throws StartRefused in production, and when variables are missing or wrong. */
export function readConfig(env: Record<string, string | undefined>): SandboxConfig {
  const parsed = readLocalEnvironment(
    'The payment sandbox',
    {
      SANDBOX_PORT: PortText.default(4700),
      RAZORPAY_KEY_ID: TestKeyId,
      RAZORPAY_KEY_SECRET: Secret,
      RAZORPAY_WEBHOOK_SECRET: Secret,
      RAZORPAY_WEBHOOK_URL: z.url().optional(),
      RAZORPAYX_KEY_ID: TestKeyId.optional(),
      RAZORPAYX_KEY_SECRET: Secret.optional(),
      RAZORPAYX_WEBHOOK_SECRET: Secret.optional(),
      RAZORPAYX_WEBHOOK_URL: z.url().optional(),
      RAZORPAYX_ACCOUNT_NUMBER: z.string().min(5).max(40).optional(),
      SANDBOX_STATE_FILE: z.string().min(1).optional(),
      LOG_LEVEL: z.string().default('info'),
    },
    env,
  );
  if (!parsed.RAZORPAYX_KEY_ID !== !parsed.RAZORPAYX_KEY_SECRET) {
    throw new StartRefused(
      'The payment sandbox cannot start: RAZORPAYX_KEY_ID and RAZORPAYX_KEY_SECRET belong together.',
    );
  }
  return {
    port: parsed.SANDBOX_PORT,
    keyId: parsed.RAZORPAY_KEY_ID,
    keySecret: parsed.RAZORPAY_KEY_SECRET,
    webhookSecret: parsed.RAZORPAY_WEBHOOK_SECRET,
    webhookUrl: parsed.RAZORPAY_WEBHOOK_URL ?? null,
    payoutKeyId: parsed.RAZORPAYX_KEY_ID ?? null,
    payoutKeySecret: parsed.RAZORPAYX_KEY_SECRET ?? null,
    payoutWebhookUrl: parsed.RAZORPAYX_WEBHOOK_URL ?? null,
    payoutWebhookSecret: parsed.RAZORPAYX_WEBHOOK_SECRET ?? null,
    payoutAccountNumber: parsed.RAZORPAYX_ACCOUNT_NUMBER ?? null,
    stateFile: parsed.SANDBOX_STATE_FILE ?? null,
    logLevel: parsed.LOG_LEVEL,
  };
}
