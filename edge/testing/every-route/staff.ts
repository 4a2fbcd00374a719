// Every route of staff: refunds, payouts, holds, cases, adjustments, promotions, rules, tax, settlements, bans.
import type { Member } from '../cast.ts';
import { bookScenarios } from '../scenarios/books.ts';
import { payoutScenarios } from '../scenarios/payouts.ts';
import type { Stage } from './stage.ts';

export async function readingRoutes({ call, cast }: Stage): Promise<void> {
  const { token } = await cast.member('admin');
  for (const list of [
    'trial-balance',
    'balance?class=platform_revenue',
    'refunds',
    'disputes',
    'payouts',
    'payout-holds',
    'cases',
    'adjustments',
    'audit',
    'promotions',
    'rules',
  ]) {
    await call('GET', `/v1/admin/${list}`, { token });
  }
}

export async function refundRoutes({ call, cast }: Stage): Promise<void> {
  const { token } = await cast.member('admin');
  const fan = await cast.fan();
  const asked = await fan.act('POST', `/v1/payments/${fan.gatewayPaymentId}/refunds`, {
    tokens: 10,
    reason: 'too many',
  });
  const decision = { token, body: { approve: true } };
  await call('POST', `/v1/admin/refunds/${asked.body.id}/decision`, decision);
}

export async function payoutRoutes({ call, cast }: Stage): Promise<void> {
  const { token } = await cast.member('admin');
  const performer = await cast.member('performer');
  await cast.verifiedAccount(performer.id);
  await cast.earn([performer.id], 4_000_000);
  const ask = async () =>
    (await performer.act('POST', '/v1/payouts', { amountPaise: 1_500_000 })).body.id;
  await call('POST', `/v1/admin/payouts/${await ask()}/approval`, { token });
  const body = { reason: 'looks odd' };
  await call('POST', `/v1/admin/payouts/${await ask()}/rejection`, { token, body });
  const hold = { performerId: performer.id, ...body };
  const { id } = (await call('POST', '/v1/admin/payout-holds', { token, body: hold })).body;
  await call('POST', `/v1/admin/payout-holds/${id}/lifting`, { token });
  const pan = { pan: cast.newPan() };
  await performer.call('PUT', '/v1/payouts/tax-profile', { body: pan });
  const correction = { pan: cast.newPan(), reason: 'given wrongly' };
  await call('POST', `/v1/admin/tax-profiles/${performer.id}/correction`, {
    token,
    body: correction,
  });
}

export async function bookRoutes({ call, cast, edge }: Stage): Promise<void> {
  const [one, other] = [await cast.member('admin'), await cast.member('admin')];
  const viewer = await cast.member();
  const decide = (path: string) =>
    call('POST', `/v1/admin/${path}/decision`, { token: other.token, body: { approve: true } });
  const performer = await cast.member('performer');
  const adjustment = await call('POST', '/v1/admin/adjustments', {
    token: one.token,
    body: {
      reason: 'a correction',
      lines: [
        { class: 'platform_revenue', ownerId: null, amount: 5_000 },
        { class: 'performer_available', ownerId: performer.id, amount: -5_000 },
      ],
    },
  });
  await decide(`adjustments/${adjustment.body.id}`);
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
  const promotion = await call('POST', '/v1/admin/promotions', {
    token: one.token,
    body: { userId: viewer.id, tokens: 5_000, expiresAt, reason: 'a welcome' },
  });
  await decide(`promotions/${promotion.body.id}`);
  const { rules } = (await call('GET', '/v1/admin/rules', { token: one.token })).body;
  const hours = rules.find(({ name }: { name: string }) => name === 'young_account_hours');
  const lowered = { value: hours.value - 1, reason: 'as agreed' };
  const rule = await call('PUT', '/v1/admin/rules/young_account_hours', {
    token: one.token,
    body: lowered,
  });
  await decide(`rules/proposals/${rule.body.proposed.id}`);
  await solveCase({ call, cast, edge }, one);
}

async function solveCase({ call, edge }: Stage, { token }: Member): Promise<void> {
  await edge.database.asOwner(
    `insert into cases (kind, subject, details) values ('every-route', gen_random_uuid()::text, '{}')`,
  );
  const { cases } = (await call('GET', '/v1/admin/cases?kind=every-route', { token })).body;
  const body = { resolution: 'nothing was wrong' };
  await call('POST', `/v1/admin/cases/${cases[0].id}/resolution`, { token, body });
}

export async function banRoutes({ call, cast }: Stage): Promise<void> {
  const { token } = await cast.member('admin');
  const path = `/v1/admin/users/${(await cast.member()).id}/ban`;
  await call('POST', path, { token, body: { reason: 'spam' } });
  await call('DELETE', path, { token });
  await call('DELETE', `/v1/admin/users/${(await cast.member()).id}/sessions`, { token });
}

/** What takes long to come to has a scenario already: its last act is one of these routes. */
export async function rareRoutes({ call, cast, edge }: Stage): Promise<void> {
  const scenarios = [...bookScenarios({ edge, cast }), ...payoutScenarios({ edge, cast })];
  for (const point of ['settlement.solved', 'payout.ended'] as const) {
    const scenario = scenarios.find(({ points }) => points.includes(point));
    const run = await scenario?.begin();
    if (typeof run?.act !== 'function') throw new Error(`no request comes by ${point}`);
    await run.act((who, method, path, options) =>
      call(method, path, { ...(who ? { token: who.token } : {}), ...options }),
    );
  }
}
