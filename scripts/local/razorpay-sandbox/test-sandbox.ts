// A sandbox for tests: with a receiver of its webhooks, the official package, and its controls.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import Razorpay from 'razorpay';
import { createControlClient } from './control-client.ts';
import type { OrderEntity, PaymentEntity, PaymentMethod } from './entities.ts';
import { payoutAccountNumberDefault } from './payouts/payout-account.ts';
import { type SandboxOptions, startSandbox } from './server.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';

export const testKeyId = 'rzp_test_0123456789abcd';
export const testKeySecret = 'a-key-secret-for-tests';
export const testWebhookSecret = 'a-webhook-secret-for-tests';

export type TestSandbox = Awaited<ReturnType<typeof startTestSandbox>>;

export async function startTestSandbox(more: Partial<SandboxOptions> = {}) {
  const receiver = await startWebhookReceiver();
  const options: SandboxOptions = {
    port: 0,
    keyId: testKeyId,
    keySecret: testKeySecret,
    webhookSecret: testWebhookSecret,
    webhookUrl: receiver.url,
    stateFile: null,
    webhookRetryBaseMs: 5,
    log: pino({ level: 'silent' }),
    ...more,
  };
  const sandbox = await startSandbox(options);
  const razorpay = packageFor(sandbox.url);
  const control = createControlClient({
    url: sandbox.url,
    keyId: testKeyId,
    keySecret: testKeySecret,
  });

  /** A request to the REST API, for what the package has no method for. */
  async function rest(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    signal: AbortSignal | null = null,
  ) {
    const answer = await fetch(`${sandbox.url}/v1${path}`, {
      method,
      signal,
      headers: {
        authorization: `Basic ${btoa(`${testKeyId}:${testKeySecret}`)}`,
        'content-type': 'application/json',
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, json: await answer.json() };
  }

  async function newOrder(more: object = {}): Promise<OrderEntity> {
    const body = { amount: 59_000, currency: 'INR', receipt: randomUUID(), ...more };
    return (await rest('POST', '/orders', body)).json;
  }

  /** A payment that is captured. */
  async function newPayment(method: PaymentMethod = 'upi', order = {}): Promise<PaymentEntity> {
    return (await control.pay((await newOrder(order)).id, { method })).payment;
  }

  /** A fund account to pay to. */
  async function newFundAccount(name = 'Asha Rao') {
    const contact = await rest('POST', '/contacts', { name, type: 'vendor' });
    const fundAccount = await rest('POST', '/fund_accounts', {
      contact_id: contact.json.id,
      account_type: 'bank_account',
      bank_account: { name, ifsc: 'HDFC0000053', account_number: '765432123456789' },
    });
    return fundAccount.json;
  }

  /** Asks for a payout; the same key is the same payout. */
  async function payOut(
    fundAccountId: string,
    body: object = {},
    key: string = randomUUID(),
    signal: AbortSignal | null = null,
  ) {
    return await rest(
      'POST',
      '/payouts',
      {
        account_number: payoutAccountNumberDefault,
        fund_account_id: fundAccountId,
        amount: 100_000,
        currency: 'INR',
        mode: 'IMPS',
        purpose: 'payout',
        queue_if_low_balance: true,
        reference_id: key,
        narration: 'Earnings',
        ...body,
      },
      { 'x-payout-idempotency': key },
      signal,
    );
  }

  return {
    options,
    sandbox,
    receiver,
    razorpay,
    control,
    rest,
    newOrder,
    newPayment,
    newFundAccount,
    payOut,
    async close() {
      await sandbox.close();
      await receiver.close();
    },
  };
}

/** The package has its host built in; its HTTP client can be pointed elsewhere. */
export function packageFor(url: string, secret = testKeySecret): Razorpay {
  const razorpay = new Razorpay({ key_id: testKeyId, key_secret: secret });
  Reflect.get(razorpay.api, 'rq').defaults.baseURL = url;
  return razorpay;
}
