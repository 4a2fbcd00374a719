// A random history of money: each act is carried out on the database and on the model, which must agree on its outcome.
import { expect } from 'vitest';
import type { TestDatabase } from '../../testing/database.ts';
import type { createMoneyCast } from '../../testing/money.ts';
import {
  approvePayout,
  captureHold,
  closeGoals,
  contributeToGoal,
  decideAdjustment,
  decideRefund,
  expirePromotions,
  grantTokens,
  holdTokens,
  observeDispute,
  observePayment,
  observePayout,
  observeRefund,
  openGoal,
  type PackageRow,
  proposeAdjustment,
  Refusal,
  rejectPayout,
  releaseEarnings,
  releaseHold,
  requestPayout,
  requestRefund,
  sealJournal,
  settleReservations,
  takePayoutsToSend,
  takeRefundsToSend,
  tip,
  tipMany,
} from '../index.ts';
import { type Act, type ActOf, performersMax, viewersMax } from './money-acts.ts';
import type { Holdings, MoneyModel, Reservation } from './money-model.ts';

const roundMax = 500;
const dayMs = 24 * 3_600_000;

/** What there is in a history beside the model: the names by which the database knows it. */
interface Stage {
  viewers: string[];
  streams: { performerId: string; streamId: string }[];
  staff: [string, string];
  payments: { id: string; lotId: string; pricePaise: number; gaveBack: boolean }[];
  goals: { id: string; performer: number; target: number; isOpen: boolean }[];
}

type Cast = ReturnType<typeof createMoneyCast>;

/** New people, and the acts that can happen between them. */
export async function createHistory(
  database: TestDatabase,
  cast: Cast,
  packages: readonly PackageRow[],
  model: MoneyModel,
) {
  const { db } = database;
  const stage: Stage = {
    viewers: await Promise.all(
      Array.from({ length: viewersMax }, async () => (await cast.person()).id),
    ),
    streams: await Promise.all(
      Array.from({ length: performersMax }, async () => {
        const { performer: owner, streamId } = await cast.liveStream();
        await cast.verifiedAccount(owner.id);
        return { performerId: owner.id, streamId };
      }),
    ),
    staff: [(await cast.person('admin')).id, (await cast.person('admin')).id],
    payments: [],
    goals: [],
  };
  let grants = 0;

  const viewerId = (index: number) => stage.viewers[index] ?? '';
  const streamOf = (index: number) => stage.streams[index] ?? { performerId: '', streamId: '' };
  const pick = <T>(from: readonly T[], index: number): T | undefined =>
    from[index % Math.max(from.length, 1)];
  const lotOf = (payment: Stage['payments'][number]) => {
    const lot = model.lots.find(({ id }) => id === payment.lotId);
    if (!lot) throw new Error('a payment without its lot');
    return lot;
  };

  /** Does the same several times at once: all are answered alike. Answers a refusal's code as it is. */
  async function repeated<T>(count: number, call: () => Promise<T>): Promise<T | Refusal> {
    const outcomes = await Promise.all(
      Array.from({ length: count }, () =>
        call().catch((error: unknown) => {
          if (error instanceof Refusal) return error;
          throw error;
        }),
      ),
    );
    const [first] = outcomes;
    if (first === undefined) throw new Error('nothing was done');
    for (const outcome of outcomes) {
      expect(outcome instanceof Refusal && outcome.code).toBe(
        first instanceof Refusal && first.code,
      );
    }
    return first;
  }

  /** The value, or null where the model says that it is refused, and with which code. */
  function expected<T>(outcome: T | Refusal, refusal: string | null): T | null {
    if (refusal === null) {
      if (outcome instanceof Refusal) throw outcome;
      return outcome;
    }
    expect(outcome instanceof Refusal && outcome.code).toBe(refusal);
    return null;
  }

  const amounts = new Map<string, number>();
  const tokensOf = ({ portions }: Reservation) =>
    portions.reduce((total, portion) => total + portion.tokens, 0);
  const openReservations = (purpose: Reservation['purpose']) =>
    model.reservations.filter((one) => one.purpose === purpose && one.state === 'open');
  const partOf = (paise: number, part: number) => Math.max(1, Math.floor((paise * part) / 100));
  /** The tokens that a part of a price has paid for, a begun one included. */
  const tokensFor = (paise: number, pricePaise: number, of: number) =>
    Math.floor((paise * of + pricePaise - 1) / pricePaise);

  async function closedBy(reservationId: string): Promise<string> {
    const [row] = await database.asOwner<{ id: string }>(
      'select closed_by as id from ledger.reservations where id = $1',
      [reservationId],
    );
    return row?.id ?? '';
  }

  function sayDispute(
    gatewayDisputeId: string,
    gatewayPaymentId: string,
    amountPaise: number,
    status: 'open' | 'won' | 'lost' | 'closed',
  ) {
    return observeDispute(db, {
      gatewayDisputeId,
      gatewayPaymentId,
      amountPaise,
      phase: 'chargeback',
      reasonCode: 'fraud',
      status,
      respondBy: null,
    });
  }

  const tooPoor = (from: number, amount: number) =>
    model.spendable(from) < amount ? 'insufficient-balance' : null;
  const tipRequest = (from: number, to: number, amountTokens: number) => ({
    viewerId: viewerId(from),
    streamId: streamOf(to).streamId,
    amountTokens,
    message: '',
    anonymous: false,
    idempotencyKey: cast.unique('key'),
  });
  function tipped(tipId: string, from: number, to: number, amount: number, batch: number): void {
    model.addTip(tipId, to, model.take(from, amount) ?? [], batch);
  }

  const acts: { [K in Act['kind']]: (step: ActOf<K>) => Promise<void> } = {
    async buy(step) {
      const order = await cast.orderOf(viewerId(step.viewer), step.package);
      const gatewayPaymentId = cast.unique('pay');
      const results = await Promise.all(
        Array.from({ length: step.times }, () =>
          observePayment(db, {
            gatewayPaymentId,
            gatewayOrderId: order.gatewayOrderId ?? '',
            amountPaise: order.amountPaise,
            currency: 'INR',
            status: 'captured',
          }),
        ),
      );
      expect(results.filter(({ credited }) => credited)).toHaveLength(1);
      const [row] = await database.asOwner<{ id: string }>(
        'select journal_id as id from payments where gateway_payment_id = $1',
        [gatewayPaymentId],
      );
      const lotId = row?.id ?? '';
      model.addLot({
        id: lotId,
        viewer: step.viewer,
        payment: gatewayPaymentId,
        place: lotId,
        tokens: packages[step.package]?.tokens ?? 0,
      });
      stage.payments.push({
        id: gatewayPaymentId,
        lotId,
        pricePaise: order.amountPaise,
        gaveBack: false,
      });
    },

    async tip(step) {
      const request = tipRequest(step.viewer, step.performer, step.tokens);
      const outcome = await repeated(step.times, () => tip(db, request));
      const receipt = expected(outcome, tooPoor(step.viewer, step.tokens));
      if (!receipt) return;
      tipped(receipt.tipId, step.viewer, step.performer, step.tokens, model.newBatch());
      expect(receipt.balanceTokens).toBe(model.spendable(step.viewer));
    },

    async 'tip-many'(step) {
      const requests = step.tips.map((one) => tipRequest(one.viewer, one.performer, one.tokens));
      const answers = await tipMany(db, requests);
      const batch = model.newBatch();
      for (const [index, one] of step.tips.entries()) {
        const answer = answers[index];
        if (!answer) throw new Error('an answer is missing');
        const receipt = expected(answer, tooPoor(one.viewer, one.tokens));
        if (receipt) tipped(receipt.tipId, one.viewer, one.performer, one.tokens, batch);
      }
    },

    async 'tip-race'(step) {
      const [outcomes] = await Promise.all([
        Promise.all(
          stage.viewers.map((_, from) => {
            const request = tipRequest(from, step.performer, step.tokens);
            return repeated(2, () => tip(db, request));
          }),
        ),
        sealJournal(db, 20),
      ]);
      for (const [from, outcome] of outcomes.entries()) {
        const receipt = expected(outcome, tooPoor(from, step.tokens));
        if (receipt) tipped(receipt.tipId, from, step.performer, step.tokens, model.newBatch());
      }
    },

    async hold(step) {
      const { performerId, streamId } = streamOf(step.performer);
      const asked = {
        viewerId: viewerId(step.viewer),
        performerId,
        streamId,
        tokens: step.tokens,
        expiresAt: new Date(Date.now() + dayMs),
        idempotencyKey: cast.unique('key'),
      };
      const outcome = await repeated(step.times, () => holdTokens(db, asked));
      const held = expected(outcome, tooPoor(step.viewer, step.tokens));
      if (!held) return;
      model.reserve({
        id: held.reservationId,
        viewer: step.viewer,
        purpose: 'hold',
        performer: step.performer,
        goal: null,
        portions: model.take(step.viewer, step.tokens) ?? [],
      });
    },

    async 'end-hold'(step) {
      const held = pick(openReservations('hold'), step.which);
      if (!held) return;
      const all = tokensOf(held);
      const captured = Math.ceil((all * Math.max(0, step.percent - 25)) / 75);
      if (captured === 0) {
        await releaseHold(db, held.id);
        model.release(held);
      } else {
        const { tipId, releasedTokens } = await captureHold(db, held.id, captured);
        expect(releasedTokens).toBe(all - captured);
        model.capture(held, captured, tipId, model.newBatch());
      }
    },

    async 'expire-hold'(step) {
      const held = pick(openReservations('hold'), step.which);
      if (!held) return;
      await database.asOwner(
        `update ledger.reservations set expires_at = now() - interval '1 second' where id = $1`,
        [held.id],
      );
      await Promise.all([settleReservations(db, roundMax), settleReservations(db, roundMax)]);
      model.release(held);
    },

    async 'open-goal'(step) {
      const { performerId, streamId } = streamOf(step.performer);
      const id = await openGoal(db, {
        performerId,
        streamId,
        title: 'A song',
        targetTokens: step.tokens,
        deadline: new Date(Date.now() + dayMs),
      });
      stage.goals.push({ id, performer: step.performer, target: step.tokens, isOpen: true });
    },

    async contribute(step) {
      const goal = pick(stage.goals, step.which);
      if (!goal) return;
      const asked = {
        viewerId: viewerId(step.viewer),
        goalId: goal.id,
        tokens: step.tokens,
        idempotencyKey: cast.unique('key'),
      };
      const outcome = await repeated(1, () => contributeToGoal(db, asked));
      const refusal = goal.isOpen ? tooPoor(step.viewer, step.tokens) : 'goal-closed';
      const given = expected(outcome, refusal);
      if (!given) return;
      model.reserve({
        id: given.reservationId,
        viewer: step.viewer,
        purpose: 'goal',
        performer: goal.performer,
        goal: goal.id,
        portions: model.take(step.viewer, step.tokens) ?? [],
      });
    },

    async 'close-goals'(step) {
      const open = stage.goals.filter(({ isOpen }) => isOpen);
      const late = step.late ? pick(open, step.which) : undefined;
      if (late) {
        await database.asOwner(
          `update ledger.goals set deadline = now() - interval '1 second' where id = $1`,
          [late.id],
        );
      }
      await closeGoals(db, roundMax);
      await settleReservations(db, roundMax);
      const batch = model.newBatch();
      for (const goal of open) {
        const given = model.reservations.filter(
          (one) => one.goal === goal.id && one.state !== 'released',
        );
        const isReached = given.reduce((sum, one) => sum + tokensOf(one), 0) >= goal.target;
        if (!isReached && goal !== late) continue;
        goal.isOpen = false;
        for (const one of given) {
          if (!isReached) model.release(one);
          else model.capture(one, tokensOf(one), await closedBy(one.id), batch);
        }
      }
    },

    async grant(step) {
      grants += 1;
      const expiresAt = new Date(Date.now() + grants * dayMs);
      const [staffId] = stage.staff;
      const { lotId } = await grantTokens(db, {
        staffId,
        viewerId: viewerId(step.viewer),
        tokens: step.tokens,
        expiresAt,
        reason: 'a gift',
        idempotencyKey: cast.unique('key'),
      });
      model.addLot({
        id: lotId,
        viewer: step.viewer,
        payment: null,
        place: expiresAt.toISOString(),
        tokens: step.tokens,
      });
    },

    async 'expire-grant'(step) {
      const lot = pick(
        model.lots.filter((one) => one.payment === null && !one.expired),
        step.which,
      );
      if (!lot) return;
      await database.asOwner(
        `update ledger.lots set expires_at = now() - interval '1 second' where id = $1`,
        [lot.id],
      );
      lot.expired = true;
      await Promise.all([expirePromotions(db, roundMax), expirePromotions(db, roundMax)]);
    },

    async 'ask-refund'(step) {
      const payment = pick(stage.payments, step.which);
      if (!payment) return;
      const lot = lotOf(payment);
      const asked = {
        by: viewerId(lot.viewer),
        gatewayPaymentId: payment.id,
        tokens: step.tokens,
        reason: 'too many',
        idempotencyKey: cast.unique('key'),
      };
      const outcome = await repeated(step.times, () => requestRefund(db, asked));
      const isDisputed = model.disputes.some((one) => one.lot === lot && one.state === 'open');
      // Where money went back in another way before, it depends on how much.
      const isUnsure = payment.gaveBack && outcome instanceof Refusal;
      const refusal = isDisputed || step.tokens > lot.left || isUnsure ? 'not-refundable' : null;
      const refund = expected(outcome, refusal);
      if (!refund) return;
      const reservation = model.reserve({
        id: refund.id,
        viewer: lot.viewer,
        purpose: 'refund',
        performer: -1,
        goal: null,
        portions: model.take(lot.viewer, step.tokens, lot) ?? [],
      });
      model.refunds.push({
        id: refund.id,
        lot,
        amountPaise: refund.amountPaise,
        reservation,
        state: 'requested',
      });
    },

    async 'decide-refund'(step) {
      const refund = pick(
        model.refunds.filter(({ state }) => state === 'requested'),
        step.which,
      );
      if (!refund) return;
      const decision = { refundId: refund.id, staffId: stage.staff[0], approve: step.yes };
      expected(await repeated(step.times, () => decideRefund(db, decision)), null);
      refund.state = step.yes ? 'approved' : 'rejected';
      if (step.yes) refund.reservation.state = 'captured';
      else model.release(refund.reservation);
    },

    async 'send-refunds'() {
      await takeRefundsToSend(db, roundMax);
      for (const refund of model.refunds) {
        if (refund.state === 'approved') refund.state = 'sent';
      }
    },

    async 'end-refund'(step) {
      const refund = pick(
        model.refunds.filter(({ state }) => state === 'sent'),
        step.which,
      );
      if (!refund) return;
      const facts = {
        refundId: refund.id,
        gatewayRefundId: `rfnd_${refund.id}`,
        gatewayPaymentId: refund.lot.payment ?? '',
        amountPaise: refund.amountPaise,
        status: step.yes ? ('processed' as const) : ('failed' as const),
      };
      expected(await repeated(step.times, () => observeRefund(db, facts)), null);
      refund.state = facts.status;
      if (!step.yes) model.giveBack(refund.reservation.portions);
    },

    async 'gateway-refund'(step) {
      const payment = pick(stage.payments, step.which);
      if (!payment) return;
      const lot = lotOf(payment);
      const amountPaise = partOf(payment.pricePaise, step.percent);
      const facts = {
        gatewayRefundId: cast.unique('rfnd'),
        gatewayPaymentId: payment.id,
        amountPaise,
        status: 'processed' as const,
      };
      expected(await repeated(step.times, () => observeRefund(db, facts)), null);
      model.withdrawRefunds(lot);
      lot.left -= Math.min(lot.left, tokensFor(amountPaise, payment.pricePaise, lot.tokens));
      payment.gaveBack = true;
    },

    async dispute(step) {
      const payment = pick(stage.payments, step.which);
      if (!payment) return;
      const lot = lotOf(payment);
      const amountPaise = partOf(payment.pricePaise, step.percent);
      const id = cast.unique('disp');
      expected(
        await repeated(step.times, () => sayDispute(id, payment.id, amountPaise, 'open')),
        null,
      );
      const wanted = tokensFor(amountPaise, payment.pricePaise, lot.tokens);
      model.openDispute(id, lot, Math.min(lot.tokens, wanted));
      amounts.set(id, amountPaise);
    },

    async 'end-dispute'(step) {
      const dispute = pick(
        model.disputes.filter(({ state }) => state === 'open'),
        step.which,
      );
      if (!dispute) return;
      const { id, lot } = dispute;
      const say = () => sayDispute(id, lot.payment ?? '', amounts.get(id) ?? 0, step.end);
      expected(await repeated(step.times, say), null);
      model.endDispute(dispute, step.end === 'lost' ? 'lost' : 'won');
      const payment = stage.payments.find((one) => one.lotId === lot.id);
      if (payment && step.end === 'lost') payment.gaveBack = true;
    },

    async seal(step) {
      await Promise.all([sealJournal(db, step.limit), sealJournal(db, step.limit)]);
    },

    async release() {
      await cast.ageBlocks();
      await Promise.all([releaseEarnings(db), releaseEarnings(db)]);
      const rows = await database.asOwner<{ id: string }>(
        `select s.journal_id as id from ledger.sealed s, ledger.sealer r, ledger.tips t
          where s.position <= r.released_through and t.id = s.journal_id and t.performer_id = any ($1)`,
        [stage.streams.map(({ performerId }) => performerId)],
      );
      const due = new Set(rows.map(({ id }) => id));
      model.releaseTips((one) => due.has(one.id));
    },

    async 'ask-payout'(step) {
      const { performerId } = streamOf(step.performer);
      const had = model.availableOf(step.performer);
      const amountPaise = partOf(had, step.percent);
      const asked = { performerId, amountPaise, idempotencyKey: cast.unique('key') };
      const outcome = await repeated(step.times, () => requestPayout(db, asked));
      const payout = expected(outcome, amountPaise > had ? 'insufficient-earnings' : null);
      if (!payout) return;
      model.changeAvailable(step.performer, -amountPaise);
      model.payouts.push({
        id: payout.id,
        performer: step.performer,
        paise: amountPaise,
        netPaise: payout.netPaise,
        state: payout.state,
      });
    },

    async 'decide-payout'(step) {
      const states = step.yes ? ['requested'] : ['requested', 'approved'];
      const payout = pick(
        model.payouts.filter(({ state }) => states.includes(state)),
        step.which,
      );
      if (!payout) return;
      const [one, other] = stage.staff;
      if (!step.yes) {
        await rejectPayout(db, payout.id, one, 'no');
        payout.state = 'rejected';
        model.changeAvailable(payout.performer, payout.paise);
        return;
      }
      const agreed = await approvePayout(db, payout.id, one);
      if (agreed.approvalsNeeded > 1) await approvePayout(db, payout.id, other);
      payout.state = 'approved';
    },

    async 'send-payouts'() {
      await Promise.all([takePayoutsToSend(db, roundMax), takePayoutsToSend(db, roundMax)]);
      for (const payout of model.payouts) {
        if (payout.state === 'approved') payout.state = 'sending';
      }
    },

    async 'end-payout'(step) {
      const states = step.end === 'reversed' ? ['sending', 'paid'] : ['sending'];
      const payout = pick(
        model.payouts.filter(({ state }) => states.includes(state)),
        step.which,
      );
      if (!payout) return;
      const facts = {
        payoutId: payout.id,
        gatewayPayoutId: `pout_${payout.id}`,
        amountPaise: payout.netPaise,
        status: step.end,
        feePaise: 590,
        feeTaxPaise: 90,
      };
      expected(await repeated(step.times, () => observePayout(db, facts)), null);
      payout.state = step.end;
      if (step.end !== 'paid') model.changeAvailable(payout.performer, payout.paise);
    },

    async adjust(step) {
      if (step.paise === 0) return;
      const [one, other] = stage.staff;
      const { performerId } = streamOf(step.performer);
      const { id } = await proposeAdjustment(db, {
        staffId: one,
        lines: [
          { class: 'performer_available', ownerId: performerId, amount: -step.paise },
          { class: 'platform_revenue', ownerId: null, amount: step.paise },
        ],
        reason: 'a correction',
        idempotencyKey: cast.unique('key'),
      });
      const isTooMuch = model.availableOf(step.performer) + step.paise < 0;
      const outcome = await repeated(1, () => decideAdjustment(db, id, other, true));
      if (expected(outcome, isTooMuch ? 'insufficient-balance' : null)) {
        model.changeAvailable(step.performer, step.paise);
      }
    },
  };

  return {
    async perform(step: Act): Promise<void> {
      // Each act takes the step of its own kind.
      await (acts[step.kind] as (step: Act) => Promise<void>)(step);
    },

    /** What the database says that everybody holds; performers by a sum over all their entries. */
    async holdings(): Promise<Holdings> {
      const [row] = await database.asOwner<{
        held: Record<string, number> | null;
        spendable: number[];
      }>(
        `select (select jsonb_object_agg(owner_id || class, held) from (
            select a.owner_id, a.class, -sum(e.amount) as held
              from ledger.accounts a join ledger.entries e on e.account_id = a.id
              where a.owner_id = any ($2::uuid[]) group by 1, 2) x) as held,
          (select jsonb_agg(ledger.spendable(v) order by n)
            from unnest($1::uuid[]) with ordinality u (v, n)) as spendable`,
        [stage.viewers, stage.streams.map(({ performerId }) => performerId)],
      );
      const paid = await database.asOwner<{ performer_id: string; paise: string }>(
        `select performer_id, sum(amount_paise) as paise from payouts where state = 'paid' group by 1`,
      );
      return {
        spendable: row?.spendable ?? [],
        performers: stage.streams.map(({ performerId: id }) => ({
          pending: row?.held?.[`${id}performer_pending`] ?? 0,
          available: row?.held?.[`${id}performer_available`] ?? 0,
          held: row?.held?.[`${id}performer_held`] ?? 0,
          asked: row?.held?.[`${id}payout_pending`] ?? 0,
          paid: Number(paid.find((one) => one.performer_id === id)?.paise ?? 0),
        })),
      };
    },
  };
}
