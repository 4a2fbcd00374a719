// Scenarios of the books: what staff change by hand, and what jobs do with what time has brought.
import {
  contributeToGoal,
  grantTokens,
  listRules,
  observeSettlement,
  openGoal,
  readBalance,
  readEarnings,
} from '#db';
import { newKey } from '../../../testing/edge.ts';
import type { Member } from '../cast.ts';
import type { Scenario, World } from './scenario.ts';

export function bookScenarios({ edge, cast }: World): Scenario[] {
  const { database } = edge;
  const { db } = database;

  const correction = (performer: Member) => ({
    reason: 'a correction',
    lines: [
      { class: 'platform_revenue', ownerId: null, amount: 5_000 },
      { class: 'performer_available', ownerId: performer.id, amount: -5_000 },
    ],
  });
  const available = async (who: Member) => (await readEarnings(db, who.id)).availablePaise;

  async function promotion() {
    const viewer = await cast.member();
    const staff = await cast.member('admin');
    const body = {
      userId: viewer.id,
      tokens: 25,
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
      reason: 'a welcome',
    };
    return { viewer, staff, body };
  }

  /** A settlement of one line that is for nothing that we know. */
  const settleUnknownLine = (settlementId: string, paise: number) =>
    observeSettlement(db, {
      settlementId,
      utr: null,
      settledAt: new Date(),
      items: [
        {
          entityId: cast.unique('adj'),
          type: 'adjustment',
          creditPaise: paise,
          debitPaise: 0,
          amountPaise: paise,
          feePaise: 0,
          taxPaise: 0,
          disputeId: null,
        },
      ],
    });

  return [
    {
      points: ['adjustment.proposed'],
      ends: [{ state: 'proposed' }],
      async begin() {
        const performer = await cast.member('performer');
        const staff = await cast.member('admin');
        const headers = { 'idempotency-key': newKey() };
        return {
          act: (send) =>
            send(staff, 'POST', '/v1/admin/adjustments', { body: correction(performer), headers }),
          end: () =>
            database.asOwner('select state from ledger.adjustments where proposed_by = $1', [
              staff.id,
            ]),
        };
      },
    },
    {
      points: ['adjustment.decided'],
      ends: 5_000,
      async begin() {
        const performer = await cast.member('performer');
        const [one, other] = [await cast.member('admin'), await cast.member('admin')];
        const { body } = await one.act('POST', '/v1/admin/adjustments', correction(performer));
        return {
          act: (send) =>
            send(other, 'POST', `/v1/admin/adjustments/${body.id}/decision`, {
              body: { approve: true },
            }),
          end: () => available(performer),
        };
      },
    },
    {
      points: ['settlement.solved'],
      ends: [{ paise: '700' }],
      async begin() {
        const [one, other] = [await cast.member('admin'), await cast.member('admin')];
        const settlementId = cast.unique('setl');
        await settleUnknownLine(settlementId, 700);
        const { body } = await one.act('POST', '/v1/admin/adjustments', {
          reason: 'the gateway says so',
          lines: [
            { class: 'unexplained', ownerId: null, amount: 700 },
            { class: 'platform_revenue', ownerId: null, amount: -700 },
          ],
        });
        await other.call('POST', `/v1/admin/adjustments/${body.id}/decision`, {
          body: { approve: true },
        });
        return {
          act: (send) =>
            send(one, 'POST', `/v1/admin/settlements/${settlementId}/lines/1/solution`, {
              body: { adjustmentId: body.id },
            }),
          end: () =>
            database.asOwner(
              'select paise from settlement_solutions where gateway_settlement_id = $1',
              [settlementId],
            ),
        };
      },
    },
    {
      points: ['rule.set'],
      ends: [{ value: '90' }, { value: '91' }],
      async begin() {
        const staff = await cast.member('admin');
        await database.asOwner(
          `insert into rules (name, value, meaning) values ('refund_window_days', 90, 'for a test')`,
        );
        return {
          act: (send) =>
            send(staff, 'PUT', '/v1/admin/rules/refund_window_days', {
              body: { value: 91, reason: 'x' },
            }),
          end: () =>
            database.asOwner(
              `select value from (
                select * from rules where name = 'refund_window_days' order by valid_from desc, id desc limit 2) r
                order by valid_from`,
            ),
        };
      },
    },
    {
      points: ['rule.decided'],
      ends: { value: 21, proposed: null, approvals: [{ count: 1 }] },
      async begin() {
        const [one, other] = [await cast.member('admin'), await cast.member('admin')];
        await database.asOwner(
          `insert into rules (name, value, meaning) values ('order_open_max', 20, 'for a test')`,
        );
        const { body } = await one.call('PUT', '/v1/admin/rules/order_open_max', {
          body: { value: 21, reason: 'x' },
        });
        return {
          act: (send) =>
            send(other, 'POST', `/v1/admin/rules/proposals/${body.proposed.id}/decision`, {
              body: { approve: true },
            }),
          end: async () => {
            const rule = (await listRules(db)).find(({ name }) => name === 'order_open_max');
            const approvals = await database.asOwner(
              `select count(*)::int from audit_log where action = 'rule.approved' and actor_id = $1`,
              [other.id],
            );
            return { value: rule?.value, proposed: rule?.proposed, approvals };
          },
        };
      },
    },
    {
      points: ['promotion.granted'],
      ends: 25,
      async begin() {
        const { viewer, staff, body } = await promotion();
        const headers = { 'idempotency-key': newKey() };
        return {
          act: (send) => send(staff, 'POST', '/v1/admin/promotions', { body, headers }),
          end: () => readBalance(db, viewer.id),
        };
      },
    },
    {
      points: ['promotion.decided'],
      ends: 501,
      async begin() {
        const { viewer, staff, body } = await promotion();
        const other = await cast.member('admin');
        const large = { ...body, tokens: 501 };
        const proposed = await staff.act('POST', '/v1/admin/promotions', large);
        return {
          act: (send) =>
            send(other, 'POST', `/v1/admin/promotions/${proposed.body.id}/decision`, {
              body: { approve: true },
            }),
          end: () => readBalance(db, viewer.id),
        };
      },
    },
    {
      points: ['chain.sealed'],
      ends: [{ count: 1 }],
      async begin() {
        const fan = await cast.fan();
        return {
          act: 'seal',
          end: async () => {
            // What goes on in another database of the server may have held the job back.
            await cast.sealAll();
            return database.asOwner(
              `select count(*)::int from ledger.sealed s
                join ledger.lots l on l.id = s.journal_id where l.owner_id = $1`,
              [fan.id],
            );
          },
        };
      },
    },
    {
      points: ['checkpoint.read', 'checkpoint.signed', 'checkpoint.kept'],
      ends: { isOfLastBlock: true, fault: null },
      async begin() {
        await cast.fan();
        // As above.
        await cast.sealAll();
        return {
          act: 'checkpoint',
          end: async () => {
            const { body } = await edge.call('GET', '/v1/ledger/checkpoints');
            const [last] = await database.asOwner<{ number: string }>(
              'select max(number) as number from ledger.blocks',
            );
            return {
              isOfLastBlock: body.checkpoints[0].block === Number(last?.number),
              fault: await edge.parts.deps.books.faultOf(body.checkpoints[0]),
            };
          },
        };
      },
    },
    {
      points: ['earnings.released'],
      ends: { pendingPaise: 0, availablePaise: 600 },
      async begin() {
        const fan = await cast.fan();
        const { performer, streamId } = await cast.live();
        await cast.tip(fan.id, streamId, 12);
        await cast.ageEarnings();
        return {
          act: 'earnings',
          end: async () => {
            const { pendingPaise, availablePaise } = await readEarnings(db, performer.id);
            return { pendingPaise, availablePaise };
          },
        };
      },
    },
    {
      points: ['goals.closed', 'reservations.closed', 'promotions.expired'],
      ends: { balance: 50, goal: [{ state: 'missed' }], promotions: [{ tokens_left: '0' }] },
      async begin() {
        const fan = await cast.fan();
        const { performer, streamId } = await cast.live();
        const goalId = await openGoal(db, {
          performerId: performer.id,
          streamId,
          title: 'A goal',
          targetTokens: 1_000,
          deadline: new Date(Date.now() + 3_600_000),
        });
        await contributeToGoal(db, {
          viewerId: fan.id,
          goalId,
          tokens: 30,
          idempotencyKey: newKey(),
        });
        const staff = await cast.member('admin');
        await grantTokens(db, {
          staffId: staff.id,
          viewerId: fan.id,
          tokens: 25,
          expiresAt: new Date(Date.now() + 3_600_000),
          reason: 'x',
          idempotencyKey: newKey(),
        });
        // Both are over by now.
        await database.asOwner('update ledger.goals set deadline = now() where id = $1', [goalId]);
        await database.asOwner(
          'update ledger.lots set expires_at = now() where owner_id = $1 and expires_at is not null',
          [fan.id],
        );
        return {
          act: 'reservations',
          end: async () => ({
            balance: await readBalance(db, fan.id),
            goal: await database.asOwner('select state from ledger.goals where id = $1', [goalId]),
            promotions: await database.asOwner(
              'select tokens_left from ledger.lots where owner_id = $1 and net_paise = 0',
              [fan.id],
            ),
          }),
        };
      },
    },
    {
      points: ['invoices.issued'],
      ends: [{ kind: 'invoice', net_paise: '5000' }],
      async begin() {
        const fan = await cast.fan();
        return {
          act: 'invoices',
          end: () =>
            database.asOwner('select kind, net_paise from invoices where user_id = $1', [fan.id]),
        };
      },
    },
    {
      points: ['fraud.found'],
      ends: {
        cases: ['ring-one-viewer', 'ring-shared-address', 'ring-address-earnings'],
        holds: [{ reason: 'ring-address-earnings' }],
      },
      async begin() {
        const fan = await cast.member();
        for (const index of [5, 5]) await cast.pay(await cast.orderOf(fan.id, index));
        const { performer, streamId } = await cast.live();
        await cast.tip(fan.id, streamId, 5_500);
        await database.asOwner(
          `insert into sessions (user_id, expires_at, address_hash)
            select u, now() + interval '1 day', $3 from unnest(array[$1, $2]::uuid[]) u`,
          [fan.id, performer.id, newKey()],
        );
        return {
          act: 'fraud',
          end: async () => ({
            cases: [
              ...(await cast.cases(`${performer.id}:${fan.id}`)),
              ...(await cast.cases(performer.id)),
            ],
            holds: await database.asOwner(
              'select reason from payout_holds where performer_id = $1 and lifted_at is null',
              [performer.id],
            ),
          }),
        };
      },
    },
  ];
}
