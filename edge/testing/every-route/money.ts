// Every route of somebody's own money: buying, paying by UPI, statements, refunds, invoices, earnings and payouts.
import { createHmac } from 'node:crypto';
import { newKey, payoutWebhookSecret, webhookSecret } from '../../../testing/edge.ts';
import type { Stage } from './stage.ts';

export async function paymentRoutes({ call, cast, edge }: Stage): Promise<void> {
  const { token } = await cast.member();
  const { packages } = (await call('GET', '/v1/payments/packages')).body;
  const body = { packageId: packages[0].id };
  const order = (await call('POST', '/v1/payments/orders', { token, body })).body;
  const paid = await edge.controlSandbox('POST', `/orders/${order.gatewayOrderId}/pay`, {});
  const { receipt } = paid.body;
  await call('POST', '/v1/payments/verify', {
    token,
    body: {
      gatewayOrderId: receipt.razorpay_order_id,
      gatewayPaymentId: receipt.razorpay_payment_id,
      signature: receipt.razorpay_signature,
    },
  });
  await call('GET', `/v1/payments/orders/${order.id}`, { token });
  const second = (await call('POST', '/v1/payments/orders', { token, body })).body;
  await call('POST', `/v1/payments/orders/${second.id}/upi`, { token });
  await call('POST', `/v1/payments/${receipt.razorpay_payment_id}/refunds`, {
    token,
    body: { tokens: 10, reason: 'too many' },
  });
  await call('GET', '/v1/payments/refunds', { token });
  const { invoices } = (await call('GET', '/v1/payments/invoices', { token })).body;
  const number = encodeURIComponent(invoices[0].number);
  for (const format of ['html', 'pdf']) {
    await call('GET', `/v1/payments/invoices/file?number=${number}&format=${format}`, { token });
  }
}

export async function walletRoutes({ call, cast }: Stage): Promise<void> {
  const { token } = await cast.fan();
  await call('GET', '/v1/wallet', { token });
  await call('GET', '/v1/wallet/transactions', { token });
  for (const format of ['csv', 'json']) {
    await call('GET', `/v1/wallet/statement?format=${format}`, { token });
  }
  await call('GET', '/v1/wallet/limits', { token });
  const limits = { dayTokens: 20, monthTokens: null, dayPaise: null, monthPaise: null };
  await call('PUT', '/v1/wallet/limits', { token, body: limits });
}

export async function earningRoutes({ call, cast }: Stage): Promise<void> {
  const performer = await cast.member('performer');
  const { token } = performer;
  await cast.verifiedAccount(performer.id);
  await cast.earn([performer.id], 500_000);
  await call('GET', '/v1/earnings', { token });
  await call('PUT', '/v1/payouts/tax-profile', { token, body: { pan: cast.newPan() } });
  await call('POST', '/v1/payouts', { token, body: { amountPaise: 100_000 } });
  await call('GET', '/v1/payouts', { token });
  await call('GET', `/v1/payouts/earlier?cursor=${performer.id}`, { token });
  await call('PUT', '/v1/payouts/account', {
    token,
    body: { kind: 'upi', address: 'asha.rao@okaxis', accountHolder: 'Asha Rao' },
  });
  await call('GET', '/v1/ledger/checkpoints');
}

/** Words of the gateway about nothing that we know: taken, and of no effect. */
export async function webhookRoutes({ call }: Stage): Promise<void> {
  for (const [from, secret, entity] of [
    ['razorpay', webhookSecret, 'payment'],
    ['razorpayx', payoutWebhookSecret, 'payout'],
  ] as const) {
    const body = JSON.stringify({
      entity: 'event',
      event: `${entity}.pondered`,
      payload: {},
      created_at: Math.floor(Date.now() / 1000),
    });
    await call('POST', `/v1/payments/webhooks/${from}`, {
      body,
      headers: {
        'x-razorpay-event-id': newKey(),
        'x-razorpay-signature': createHmac('sha256', secret).update(body).digest('hex'),
      },
    });
  }
}
