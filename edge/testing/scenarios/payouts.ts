// Scenarios of payouts: what performers ask for, what staff decide, and what the bank is asked.
import { readEarnings } from '#db';
import { newKey } from '../../../testing/edge.ts';
import { verifyPayoutAccounts } from '../../jobs/payout-accounts.ts';
import { comparePayoutBalance } from '../../jobs/payout-balance.ts';
import { sendPayouts } from '../../jobs/payouts.ts';
import type { Member } from '../cast.ts';
import { deliver, eventOf, makeAllDue, type Scenario, type World } from './scenario.ts';

export function payoutScenarios({ edge, cast }: World): Scenario[] {
  const { database } = edge;
  const { deps } = edge.parts;

  async function setAccount(performer: Member, details?: object): Promise<void> {
    const address = `${performer.username.replaceAll('_', '.')}@okaxis`;
    const body = details ?? { kind: 'upi', address, accountHolder: 'Asha Rao' };
    await performer.call('PUT', '/v1/payouts/account', { body });
  }

  async function askBank(): Promise<void> {
    await makeAllDue(edge);
    await verifyPayoutAccounts(deps);
    await edge.control.settled();
  }

  /** A performer with an account that the bank knows, and money. */
  async function earner(paise = 1_000_000): Promise<Member> {
    const performer = await cast.member('performer');
    await setAccount(performer);
    await askBank();
    await askBank();
    await cast.earn([performer.id], paise);
    return performer;
  }

  const moneyOf = async (who: Member) => {
    const { availablePaise, payoutPendingPaise, paidPaise } = await readEarnings(
      database.db,
      who.id,
    );
    const rows = await database.asOwner<{ id: string; state: string }>(
      'select id, state from payouts where performer_id = $1',
      [who.id],
    );
    const transfers = await Promise.all(
      rows.map(async ({ id }) => (await edge.control.transfers({ reference_id: id })).length),
    );
    return {
      availablePaise,
      payoutPendingPaise,
      paidPaise,
      states: rows.map(({ state }) => state),
      transfers,
    };
  };

  async function asked(amountPaise: number) {
    const performer = await earner();
    const { body } = await performer.act('POST', '/v1/payouts', { amountPaise });
    return { performer, payoutId: body.id as string, staff: await cast.member('admin') };
  }

  /** A payout whose request never reached the bank, some days ago. */
  async function longAgo() {
    const payout = await asked(100_000);
    await edge.control.setFaults({
      answers: { rules: [{ fault: 'cut-before', method: 'POST', path: '/v1/payouts' }] },
    });
    await makeAllDue(edge);
    await sendPayouts(deps);
    await edge.control.setFaults({ answers: { rules: [] } });
    await database.asOwner(
      `update payouts set first_attempt_at = now() - interval '4 days' where id = $1`,
      [payout.payoutId],
    );
    return payout;
  }

  /** One that is too old to be sent once more. */
  async function tooOld() {
    const payout = await longAgo();
    await makeAllDue(edge);
    await sendPayouts(deps);
    await database.asOwner(
      `update cases set created_at = now() - interval '2 days' where subject = $1`,
      [payout.payoutId],
    );
    return payout;
  }

  const accountOf = async (who: Member) => ({
    accounts: await database.asOwner(
      `select state, gateway_contact_id is not null as has_contact,
          gateway_fund_account_id is not null as has_fund_account
        from payout_accounts where performer_id = $1`,
      [who.id],
    ),
    holds: await database.asOwner(
      'select reason from payout_holds where performer_id = $1 and lifted_at is null',
      [who.id],
    ),
  });

  /** What has become of an account, and of what its check has cost. */
  const checkOf = async (who: Member) => ({
    ...(await accountOf(who)),
    costs: await database.asOwner(
      `select -e.amount as paise from ledger.journal j
        join payout_accounts a on a.id::text = j.result->>'payoutAccountId'
        join ledger.entries e
          on e.journal_id = j.id and e.account_id = ledger.known_account('bank', null)
        where j.kind = 'validation-paid' and a.performer_id = $1`,
      [who.id],
    ),
  });

  return [
    {
      points: ['payout.requested'],
      ends: {
        availablePaise: 400_000,
        payoutPendingPaise: 600_000,
        paidPaise: 0,
        states: ['requested'],
        transfers: [0],
      },
      async begin() {
        const performer = await earner();
        const headers = { 'idempotency-key': newKey() };
        return {
          act: (send) =>
            send(performer, 'POST', '/v1/payouts', { body: { amountPaise: 600_000 }, headers }),
          end: () => moneyOf(performer),
        };
      },
    },
    {
      points: ['payout.approved'],
      ends: {
        availablePaise: 400_000,
        payoutPendingPaise: 600_000,
        paidPaise: 0,
        states: ['approved'],
        transfers: [0],
      },
      async begin() {
        const { performer, payoutId, staff } = await asked(600_000);
        return {
          act: (send) => send(staff, 'POST', `/v1/admin/payouts/${payoutId}/approval`),
          end: () => moneyOf(performer),
        };
      },
    },
    {
      points: ['payout.rejected'],
      ends: {
        availablePaise: 1_000_000,
        payoutPendingPaise: 0,
        paidPaise: 0,
        states: ['rejected'],
        transfers: [0],
      },
      async begin() {
        const { performer, payoutId, staff } = await asked(600_000);
        return {
          act: (send) =>
            send(staff, 'POST', `/v1/admin/payouts/${payoutId}/rejection`, {
              body: { reason: 'x' },
            }),
          end: () => moneyOf(performer),
        };
      },
    },
    {
      points: ['payout.held'],
      ends: { accounts: [], holds: [{ reason: 'a question' }] },
      async begin() {
        const performer = await cast.member('performer');
        const staff = await cast.member('admin');
        return {
          act: (send) =>
            send(staff, 'POST', '/v1/admin/payout-holds', {
              body: { performerId: performer.id, reason: 'a question' },
            }),
          end: () => accountOf(performer),
        };
      },
    },
    {
      points: ['payout.hold-lifted'],
      ends: { accounts: [], holds: [] },
      async begin() {
        const performer = await cast.member('performer');
        const staff = await cast.member('admin');
        const { body } = await staff.call('POST', '/v1/admin/payout-holds', {
          body: { performerId: performer.id, reason: 'a question' },
        });
        return {
          act: (send) => send(staff, 'POST', `/v1/admin/payout-holds/${body.id}/lifting`),
          end: () => accountOf(performer),
        };
      },
    },
    {
      points: ['payout.taken', 'payout.leaving', 'payout.sent', 'payout.noted'],
      ends: {
        availablePaise: 900_000,
        payoutPendingPaise: 0,
        paidPaise: 100_000,
        states: ['paid'],
        transfers: [1],
      },
      async begin() {
        const { performer } = await asked(100_000);
        return { act: 'payouts', end: () => moneyOf(performer) };
      },
    },
    {
      points: ['webhook.payout-noted'],
      ends: {
        availablePaise: 900_000,
        payoutPendingPaise: 0,
        paidPaise: 100_000,
        states: ['paid'],
        transfers: [1],
      },
      async begin() {
        const { performer, payoutId } = await asked(100_000);
        await makeAllDue(edge);
        await sendPayouts(deps);
        await edge.control.settled();
        const [row] = await database.asOwner<{ id: string }>(
          'select gateway_payout_id as id from payouts where id = $1',
          [payoutId],
        );
        const event = await eventOf(edge, row?.id ?? '', 'payout.processed');
        return { act: deliver(event, 'razorpayx'), end: () => moneyOf(performer) };
      },
    },
    {
      points: ['payout.searched'],
      ends: {
        availablePaise: 900_000,
        payoutPendingPaise: 0,
        paidPaise: 100_000,
        states: ['paid'],
        transfers: [1],
      },
      async begin() {
        const { performer } = await asked(100_000);
        // The money is on its way, and nobody was told.
        await edge.control.setFaults({
          answers: {
            rules: [{ fault: 'cut-after', method: 'POST', path: '/v1/payouts', times: 1 }],
          },
        });
        await makeAllDue(edge);
        await sendPayouts(deps);
        await edge.control.setFaults({ answers: { rules: [] } });
        return { act: 'payouts', end: () => moneyOf(performer) };
      },
    },
    {
      points: ['payout.too-old'],
      ends: {
        availablePaise: 900_000,
        payoutPendingPaise: 100_000,
        paidPaise: 0,
        states: ['sending'],
        transfers: [0],
        cases: ['payout-too-old-to-send'],
      },
      async begin() {
        const { performer, payoutId } = await longAgo();
        return {
          act: 'payouts',
          end: async () => ({ ...(await moneyOf(performer)), cases: await cast.cases(payoutId) }),
        };
      },
    },
    {
      points: ['payout.looked-for', 'payout.ended'],
      ends: {
        availablePaise: 1_000_000,
        payoutPendingPaise: 0,
        paidPaise: 0,
        states: ['failed'],
        transfers: [0],
      },
      async begin() {
        const { performer, payoutId, staff } = await tooOld();
        return {
          act: (send) =>
            send(staff, 'POST', `/v1/admin/payouts/${payoutId}/ending`, {
              body: { type: 'never-sent', reason: 'x' },
            }),
          end: () => moneyOf(performer),
        };
      },
    },
    {
      points: ['payout.fetched'],
      ends: {
        availablePaise: 900_000,
        payoutPendingPaise: 0,
        paidPaise: 100_000,
        states: ['paid'],
        transfers: [1],
      },
      async begin() {
        const { performer, payoutId, staff } = await tooOld();
        const [row] = await database.asOwner<{ id: string; net: string }>(
          `select a.gateway_fund_account_id as id, p.amount_paise - p.tds_paise as net
            from payouts p join payout_accounts a on a.id = p.payout_account_id where p.id = $1`,
          [payoutId],
        );
        // It has reached the bank after all.
        const made = await deps.payouts?.pay({
          fundAccountId: row?.id ?? '',
          amountPaise: Number(row?.net),
          mode: 'UPI',
          idempotencyKey: newKey(),
          referenceId: payoutId,
          narration: 'LivePanty earnings',
        });
        await edge.control.settled();
        return {
          act: (send) =>
            send(staff, 'POST', `/v1/admin/payouts/${payoutId}/ending`, {
              body: { type: 'sent', gatewayPayoutId: made?.id, reason: 'x' },
            }),
          end: () => moneyOf(performer),
        };
      },
    },
    {
      points: ['reversal.listed', 'reversal.noted'],
      ends: {
        availablePaise: 1_000_000,
        payoutPendingPaise: 0,
        paidPaise: 0,
        states: ['reversed'],
        transfers: [1],
      },
      async begin() {
        const { performer } = await asked(100_000);
        await edge.control.setFaults({ payouts: { reverseRate: 1 } });
        await makeAllDue(edge);
        await sendPayouts(deps);
        await edge.control.settled();
        await edge.control.setFaults({ payouts: { reverseRate: 0 } });
        return { act: 'payout-reversals', end: () => moneyOf(performer) };
      },
    },
    {
      points: ['payout-balance.read', 'payout-balance.noted'],
      ends: [],
      async begin() {
        await comparePayoutBalance(deps);
        const { performer } = await asked(100_000);
        await makeAllDue(edge);
        await sendPayouts(deps);
        await edge.control.settled();
        return {
          act: 'payout-balance',
          end: () =>
            database.asOwner(
              `select c.details from cases c where c.kind = 'payout-balance-differs'
                and c.created_at > (select created_at from users where id = $1)`,
              [performer.id],
            ),
        };
      },
    },
    {
      points: ['account.set'],
      ends: {
        accounts: [{ state: 'pending', has_contact: false, has_fund_account: false }],
        holds: [],
      },
      async begin() {
        const performer = await cast.member('performer');
        const body = { kind: 'upi', address: `${performer.username.replaceAll('_', '.')}@okaxis` };
        return {
          act: (send) => send(performer, 'PUT', '/v1/payouts/account', { body }),
          end: () => accountOf(performer),
        };
      },
    },
    {
      points: ['tax-profile.set'],
      ends: 'QRS••••••U',
      async begin() {
        const performer = await cast.member('performer');
        const pan = cast.newPan();
        return {
          act: (send) => send(performer, 'PUT', '/v1/payouts/tax-profile', { body: { pan } }),
          end: async () => (await performer.call('GET', '/v1/payouts')).body.panMask,
        };
      },
    },
    {
      points: ['tax-profile.corrected'],
      ends: ['tax-profile.given', 'tax-profile.corrected'],
      async begin() {
        const [performer, staff] = [await cast.member('performer'), await cast.member('admin')];
        const [wrong, pan] = [cast.newPan(), cast.newPan()];
        await performer.call('PUT', '/v1/payouts/tax-profile', { body: { pan: wrong } });
        return {
          act: (send) =>
            send(staff, 'POST', `/v1/admin/tax-profiles/${performer.id}/correction`, {
              body: { pan, reason: 'a mistake' },
            }),
          end: async () =>
            (
              await database.asOwner<{ action: string }>(
                'select action from audit_log where subject = $1 order by id',
                [performer.id],
              )
            ).map(({ action }) => action),
        };
      },
    },
    {
      points: [
        'account.taken',
        'account.contact-made',
        'account.contact-kept',
        'account.fund-account-made',
        'account.fund-account-kept',
        'account.validated',
        'account.noted',
      ],
      ends: {
        accounts: [{ state: 'verified', has_contact: true, has_fund_account: true }],
        holds: [],
        costs: [{ paise: '236' }],
      },
      async begin() {
        const performer = await cast.member('performer');
        await setAccount(performer);
        return { act: 'payout-accounts', end: () => checkOf(performer) };
      },
    },
    {
      points: ['account.validation-paid', 'account.name-asked', 'account.name-questioned'],
      ends: {
        accounts: [{ state: 'verified', has_contact: true, has_fund_account: true }],
        holds: [{ reason: 'payout-name-close' }],
        costs: [{ paise: '336' }],
      },
      async begin() {
        const performer = await cast.member('performer');
        await setAccount(performer, {
          kind: 'bank',
          accountHolder: 'Asha Rao',
          ifsc: 'HDFC0000053',
          accountNumber: String(Date.now()),
        });
        await edge.control.setFaults({ validations: { registeredName: 'Asha Kumari Rao' } });
        await askBank();
        await edge.control.setFaults({ validations: { registeredName: null } });
        return { act: 'payout-accounts', end: () => checkOf(performer) };
      },
    },
  ];
}
