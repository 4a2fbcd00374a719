// A random history of money: each act is carried out on the database and on the model, which must agree on its outcome.
// What happens at once must be what the model says of it in some order.
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
  findLateSettlements,
  grantTokens,
  holdTokens,
  observeDispute,
  observePayment,
  observePayout,
  observeRefund,
  observeSettlement,
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
import { type Act, type ActOf, performersMax, type RacerKind, viewersMax } from './money-acts.ts';
import {
  createMoneyModel,
  type Holdings,
  type Line,
  type MoneyModel,
  type Reservation,
} from './money-model.ts';

const roundMax = 500;
const dayMs = 24 * 3_600_000;
/** What the gateway keeps of a payment that it settles, tax included. */
const fee = { feePaise: 271, taxPaise: 41 };
/** A dispute goes on in the next one when it turns. */
const phases = ['chargeback', 'pre_arbitration', 'arbitration'] as const;

/** What there is in a history beside the model: the names by which the database knows it. */
interface Stage {
  viewers: string[];
  streams: { performerId: string; streamId: string }[];
  staff: [string, string];
  goals: { id: string; performer: number; target: number; isOpen: boolean }[];
}

type Cast = ReturnType<typeof createMoneyCast>;

/** Carries an act out. Answers what it must have done to the model, which throws when it says otherwise. */
type Effect = (model: MoneyModel) => void;
/** Several effects where copies of one act were answered differently. */
type Plan = () => Promise<Effect | Effect[]>;
type Racers = { [K in RacerKind]: (step: ActOf<K>) => Plan | null };
type Others = {
  [K in Exclude<Act['kind'], RacerKind | 'race'>]: (step: ActOf<K>) => Promise<void>;
};

function ordersOf<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first, index) =>
    ordersOf(items.toSpliced(index, 1)).map((others) => [first, ...others]),
  );
}

/** New people, and the acts that can happen between them. */
export async function createHistory(
  database: TestDatabase,
  cast: Cast,
  packages: readonly PackageRow[],
) {
  const { db } = database;
  let model = createMoneyModel(viewersMax, performersMax);
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
    goals: [],
  };
  // What is left to be explained of a history before is none of this one's.
  await findLateSettlements(db);
  const before = await houseHolds();
  let grants = 0;
  // One of the staff gives all gifts of a history.
  for (const rule of ['promotion_staff_day_tokens', 'promotion_viewer_day_tokens']) {
    await cast.setRule(rule, 100_000);
  }

  const viewerId = (index: number) => stage.viewers[index] ?? '';
  const streamOf = (index: number) => stage.streams[index] ?? { performerId: '', streamId: '' };
  const pick = <T>(from: readonly T[], index: number): T | undefined =>
    from[index % Math.max(from.length, 1)];
  function called<T extends { id: string }>(from: readonly T[], id: string): T {
    const found = from.find((one) => one.id === id);
    if (!found) throw new Error(`the model knows no ${id}`);
    return found;
  }
  const paidLots = () => model.lots.filter(({ payment }) => payment !== null);

  /** What of the house moves in a history. */
  async function houseHolds(): Promise<{ clearing: number; unexplained: number }> {
    const [row] = await database.asOwner<{ clearing: string; unexplained: string }>(
      `select ledger.balance_now('gateway_clearing') as clearing, ledger.balance_now('unexplained') as unexplained`,
    );
    return { clearing: Number(row?.clearing), unexplained: Number(row?.unexplained) };
  }

  /** A row of a table by its key, as far as it has the columns. */
  async function rowOf<T>(table: string, key: string, id: string, columns: string): Promise<T> {
    const [row] = await database.asOwner<{ row: T }>(
      `select to_jsonb(r) as row from (select ${columns} from ${table} where ${key} = $1) r`,
      [id],
    );
    if (!row) throw new Error(`${table} has no ${id}`);
    return row.row;
  }
  const momentOf = async (table: string, key: string, id: string, column = 'created_at') =>
    (await rowOf<{ at: string }>(table, key, id, `instant_exact(${column}) as at`)).at;
  const tipMoment = (tipId: string) => momentOf('ledger.tips', 'id', tipId);

  /**
   * Does the same several times at once and answers what differs, refusals by their code. Alone, all are answered
   * alike; in a race a copy may be refused, and the next one taken after another act has made it possible.
   */
  async function attempted<T>(count: number, call: () => Promise<T>): Promise<(T | Refusal)[]> {
    const outcomes = await Promise.all(
      Array.from({ length: count }, () =>
        call().catch((error: unknown) => {
          if (error instanceof Refusal) return error;
          throw error;
        }),
      ),
    );
    const codeOf = (outcome: T | Refusal) => outcome instanceof Refusal && outcome.code;
    return [...new Map(outcomes.map((outcome) => [codeOf(outcome), outcome])).values()];
  }

  /** Does the same several times at once: all are answered alike. Answers a refusal's code as it is. */
  async function repeated<T>(count: number, call: () => Promise<T>): Promise<T | Refusal> {
    const [first, ...others] = await attempted(count, call);
    if (first === undefined) throw new Error('nothing was done');
    expect(others).toEqual([]);
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

  const tokensOf = ({ portions }: Reservation) =>
    portions.reduce((total, portion) => total + portion.tokens, 0);
  const openReservations = (purpose: Reservation['purpose']) =>
    model.reservations.filter((one) => one.purpose === purpose && one.state === 'open');
  const partOf = (paise: number, part: number) => Math.max(1, Math.floor((paise * part) / 100));
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
    phase: string = phases[0],
  ) {
    return observeDispute(db, {
      gatewayDisputeId,
      gatewayPaymentId,
      amountPaise,
      phase,
      reasonCode: 'fraud',
      status,
      respondBy: null,
    });
  }

  const tooPoor = (has: MoneyModel, from: number, amount: number) =>
    has.spendable(from) < amount ? 'insufficient-balance' : null;
  const tipRequest = (from: number, to: number, amountTokens: number) => ({
    viewerId: viewerId(from),
    streamId: streamOf(to).streamId,
    amountTokens,
    message: '',
    anonymous: false,
    idempotencyKey: cast.unique('key'),
  });
  function tipped(
    on: MoneyModel,
    tip: { id: string; madeAt: string; from: number; to: number; amount: number },
  ): void {
    on.addTip(tip.id, tip.to, on.take(tip.from, tip.amount) ?? [], tip.madeAt);
  }

  const lineOf = ({ type, id, paise }: Line) => {
    const isPayment = type === 'payment';
    const gross = isPayment ? paise - fee.feePaise : paise;
    return {
      entityId: isPayment || type === 'refund' ? gatewayName(type, id) : cast.unique('adj'),
      type: isPayment || type === 'refund' ? type : 'adjustment',
      creditPaise: Math.max(gross, 0),
      debitPaise: Math.max(-gross, 0),
      amountPaise: Math.abs(paise),
      ...(isPayment ? fee : { feePaise: 0, taxPaise: 0 }),
      disputeId: type === 'dispute' ? id : null,
    };
  };
  const gatewayName = (type: Line['type'], id: string) =>
    type === 'refund' && called(model.refunds, id).reservation ? `rfnd_${id}` : id;

  /** Everything that the gateway could settle now, and with `early` what it says too early. */
  function settleable(early: boolean): Line[] {
    return [
      ...paidLots()
        .filter(({ settled }) => !settled)
        .map(
          ({ payment, pricePaise }): Line => ({
            type: 'payment',
            id: payment ?? '',
            paise: pricePaise,
          }),
        ),
      ...model.refunds
        .filter(
          ({ id, state, settled }) =>
            (state === 'processed' || (early && state === 'sent')) &&
            !settled &&
            !model.unexplained.some((line) => line.id === id),
        )
        .map(({ id, amountPaise }): Line => ({ type: 'refund', id, paise: -amountPaise })),
      ...model.disputes.flatMap(({ id, amountPaise, turns, state, lines }): Line[] => [
        ...(lines.taken <= turns ? [{ type: 'dispute' as const, id, paise: -amountPaise }] : []),
        ...(lines.brought < turns + Number(state === 'won')
          ? [{ type: 'dispute' as const, id, paise: amountPaise }]
          : []),
      ]),
    ];
  }

  const racers: Racers = {
    buy: (step) => async () => {
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
      const { id } = await rowOf<{ id: string }>(
        'payments',
        'gateway_payment_id',
        gatewayPaymentId,
        'journal_id as id',
      );
      return (on) =>
        on.addLot({
          id,
          viewer: step.viewer,
          payment: gatewayPaymentId,
          pricePaise: order.amountPaise,
          place: id,
          tokens: packages[step.package]?.tokens ?? 0,
        });
    },

    tip: (step) => async () => {
      const { viewer: from, performer: to, tokens: amount } = step;
      const request = tipRequest(from, to, amount);
      const outcomes = await attempted(step.times, () => tip(db, request));
      return Promise.all(
        outcomes.map(async (outcome): Promise<Effect> => {
          const madeAt = outcome instanceof Refusal ? '' : await tipMoment(outcome.tipId);
          return (on) => {
            const receipt = expected(outcome, tooPoor(on, from, amount));
            if (!receipt) return;
            tipped(on, { id: receipt.tipId, madeAt, from, to, amount });
            expect(receipt.balanceTokens).toBe(on.spendable(from));
          };
        }),
      );
    },

    hold: (step) => async () => {
      const { performerId, streamId } = streamOf(step.performer);
      const asked = {
        viewerId: viewerId(step.viewer),
        performerId,
        streamId,
        tokens: step.tokens,
        expiresAt: new Date(Date.now() + dayMs),
        idempotencyKey: cast.unique('key'),
      };
      const outcomes = await attempted(step.times, () => holdTokens(db, asked));
      return outcomes.map(
        (outcome): Effect =>
          (on) => {
            const held = expected(outcome, tooPoor(on, step.viewer, step.tokens));
            if (!held) return;
            on.reserve({
              id: held.reservationId,
              viewer: step.viewer,
              purpose: 'hold',
              performer: step.performer,
              goal: null,
              portions: on.take(step.viewer, step.tokens) ?? [],
            });
          },
      );
    },

    'end-hold'(step) {
      const held = pick(openReservations('hold'), step.which);
      if (!held) return null;
      const { id } = held;
      const all = tokensOf(held);
      const captured = Math.ceil((all * Math.max(0, step.percent - 25)) / 75);
      // Asked again for what was done it is answered as before.
      const closed = (on: MoneyModel) => {
        const { state, captured: paid } = called(on.reservations, id);
        if (state === 'open') return null;
        if (state === 'released') return captured === 0 ? null : 'reservation-closed';
        if (captured === 0) return 'reservation-closed';
        return paid === captured ? null : 'idempotency-key-reused';
      };
      const isOpen = (on: MoneyModel) => called(on.reservations, id).state === 'open';
      if (captured === 0) {
        return async () => {
          const outcome = await repeated(1, () => releaseHold(db, id));
          return (on) => {
            if (expected(outcome, closed(on)) && isOpen(on))
              on.release(called(on.reservations, id));
          };
        };
      }
      return async () => {
        const outcome = await repeated(1, () => captureHold(db, id, captured));
        const madeAt = outcome instanceof Refusal ? '' : await tipMoment(outcome.tipId);
        return (on) => {
          const tipped = expected(outcome, closed(on));
          if (!tipped || !isOpen(on)) return;
          expect(tipped.releasedTokens).toBe(all - captured);
          on.capture(called(on.reservations, id), captured, tipped.tipId, madeAt);
        };
      };
    },

    contribute(step) {
      const goal = pick(stage.goals, step.which);
      if (!goal) return null;
      return async () => {
        const asked = {
          viewerId: viewerId(step.viewer),
          goalId: goal.id,
          tokens: step.tokens,
          idempotencyKey: cast.unique('key'),
        };
        const outcome = await repeated(1, () => contributeToGoal(db, asked));
        return (on) => {
          const refusal = goal.isOpen ? tooPoor(on, step.viewer, step.tokens) : 'goal-closed';
          const given = expected(outcome, refusal);
          if (!given) return;
          on.reserve({
            id: given.reservationId,
            viewer: step.viewer,
            purpose: 'goal',
            performer: goal.performer,
            goal: goal.id,
            portions: on.take(step.viewer, step.tokens) ?? [],
          });
        };
      };
    },

    'ask-refund'(step) {
      const bought = pick(paidLots(), step.which);
      if (!bought) return null;
      return async () => {
        const asked = {
          by: viewerId(bought.viewer),
          gatewayPaymentId: bought.payment ?? '',
          tokens: step.tokens,
          reason: 'too many',
          idempotencyKey: cast.unique('key'),
        };
        const outcomes = await attempted(step.times, () => requestRefund(db, asked));
        return outcomes.map(
          (outcome): Effect =>
            (on) => {
              const lot = called(on.lots, bought.id);
              const isDisputed = on.disputes.some((one) => one.lot === lot && one.state === 'open');
              // Where money went back in another way before, it depends on how much.
              const isUnsure = lot.gaveBack && outcome instanceof Refusal;
              const isRefused = isDisputed || step.tokens > lot.left || isUnsure;
              const refund = expected(outcome, isRefused ? 'not-refundable' : null);
              if (!refund) return;
              const reservation = on.reserve({
                id: refund.id,
                viewer: lot.viewer,
                purpose: 'refund',
                performer: -1,
                goal: null,
                portions: on.take(lot.viewer, step.tokens, lot) ?? [],
              });
              on.refunds.push({
                id: refund.id,
                lot,
                amountPaise: refund.amountPaise,
                tokens: step.tokens,
                reservation,
                state: 'requested',
                approved: null,
                madeAt: '',
                settled: false,
              });
            },
        );
      };
    },

    'decide-refund'(step) {
      const waiting = pick(
        model.refunds.filter(({ state }) => state === 'requested'),
        step.which,
      );
      if (!waiting) return null;
      const decision = { refundId: waiting.id, staffId: stage.staff[0], approve: step.yes };
      return async () => {
        const outcome = await repeated(step.times, () => decideRefund(db, decision));
        return (on) => {
          const refund = called(on.refunds, waiting.id);
          const isSaid = refund.approved === step.yes;
          const isDecided = refund.state !== 'requested';
          expected(outcome, isDecided && !isSaid ? 'already-decided' : null);
          if (isDecided || !refund.reservation) return;
          refund.approved = step.yes;
          refund.state = step.yes ? 'approved' : 'rejected';
          if (step.yes) refund.reservation.state = 'captured';
          else on.release(refund.reservation);
        };
      };
    },

    'end-refund'(step) {
      const sent = pick(
        model.refunds.filter(({ state }) => state === 'sent'),
        step.which,
      );
      if (!sent) return null;
      const end = step.yes ? ('processed' as const) : ('failed' as const);
      const facts = {
        ...(sent.reservation ? { refundId: sent.id } : {}),
        gatewayRefundId: gatewayName('refund', sent.id),
        gatewayPaymentId: sent.lot.payment ?? '',
        amountPaise: sent.amountPaise,
        status: end,
      };
      return async () => {
        expected(await repeated(step.times, () => observeRefund(db, facts)), null);
        return (on) => on.endRefund(called(on.refunds, sent.id), end);
      };
    },

    'gateway-refund'(step) {
      const bought = pick(paidLots(), step.which);
      if (!bought) return null;
      const facts = {
        gatewayRefundId: cast.unique('rfnd'),
        gatewayPaymentId: bought.payment ?? '',
        amountPaise: partOf(bought.pricePaise, step.percent),
        status: step.isDone ? ('processed' as const) : ('pending' as const),
      };
      const { gatewayRefundId: id } = facts;
      return async () => {
        expected(await repeated(step.times, () => observeRefund(db, facts)), null);
        const madeAt = await momentOf('refunds', 'gateway_refund_id', id);
        return (on) => {
          on.refundByGateway(id, called(on.lots, bought.id), facts.amountPaise, madeAt);
          if (step.isDone) on.endRefund(called(on.refunds, id), 'processed');
        };
      };
    },

    dispute(step) {
      const bought = pick(paidLots(), step.which);
      if (!bought) return null;
      const amountPaise = partOf(bought.pricePaise, step.percent);
      const id = cast.unique('disp');
      return async () => {
        const say = () => sayDispute(id, bought.payment ?? '', amountPaise, 'open');
        expected(await repeated(step.times, say), null);
        const madeAt = await momentOf('disputes', 'gateway_dispute_id', id, 'opened_at');
        return (on) => on.openDispute(id, called(on.lots, bought.id), amountPaise, madeAt);
      };
    },

    'end-dispute'(step) {
      const open = model.disputes.filter(({ state }) => state === 'open');
      return endOf(pick(open, step.which), step);
    },

    'turn-dispute'(step) {
      const over = model.disputes.filter(
        ({ state, phase }) => state !== 'open' && phase < phases.length - 1,
      );
      return endOf(pick(over, step.which), step);
    },

    settle(step) {
      const lines = settleable(step.early)
        .filter((_, index) => step.which[index % step.which.length])
        .map(
          (line, index): Line =>
            index === 0 && line.type === 'payment'
              ? { ...line, paise: line.paise + step.off }
              : line,
        );
      if (step.strange > 0)
        lines.push({ type: 'nothing', id: cast.unique('adj'), paise: step.strange });
      if (lines.length === 0) return null;
      const facts = {
        settlementId: cast.unique('setl'),
        utr: null,
        settledAt: new Date(),
        items: lines.map(lineOf),
      };
      return async () => {
        const results = await Promise.all(
          Array.from({ length: step.times }, () => observeSettlement(db, facts)),
        );
        expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1);
        return (on) => expect(on.settle(lines)).toBe(results[0]?.cases);
      };
    },

    'explain-late': () => async () => {
      await findLateSettlements(db);
      return (on) => on.explainLate();
    },
  };

  /** What the gateway says of a dispute that is known. */
  function endOf(
    dispute: MoneyModel['disputes'][number] | undefined,
    { end, times }: { end: 'open' | 'won' | 'lost' | 'closed'; times: number },
  ): Plan | null {
    if (!dispute) return null;
    const { id, lot, amountPaise, state } = dispute;
    const phase = state === 'open' ? dispute.phase : dispute.phase + 1;
    return async () => {
      const say = () => sayDispute(id, lot.payment ?? '', amountPaise, end, phases[phase]);
      expected(await repeated(times, say), null);
      return (on) => {
        on.sayDispute(called(on.disputes, id), end === 'closed' ? 'won' : end, phase);
      };
    };
  }

  const others: Others = {
    async 'tip-many'(step) {
      const requests = step.tips.map((one) => tipRequest(one.viewer, one.performer, one.tokens));
      const answers = await tipMany(db, requests);
      for (const [index, { viewer: from, performer: to, tokens: amount }] of step.tips.entries()) {
        const answer = answers[index];
        if (!answer) throw new Error('an answer is missing');
        const receipt = expected(answer, tooPoor(model, from, amount));
        if (!receipt) continue;
        const madeAt = await tipMoment(receipt.tipId);
        tipped(model, { id: receipt.tipId, madeAt, from, to, amount });
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
        const receipt = expected(outcome, tooPoor(model, from, step.tokens));
        if (!receipt) continue;
        const madeAt = await tipMoment(receipt.tipId);
        const { performer: to, tokens: amount } = step;
        tipped(model, { id: receipt.tipId, madeAt, from, to, amount });
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
      for (const goal of open) {
        const given = model.reservations.filter(
          (one) => one.goal === goal.id && one.state !== 'released',
        );
        const isReached = given.reduce((sum, one) => sum + tokensOf(one), 0) >= goal.target;
        if (!isReached && goal !== late) continue;
        goal.isOpen = false;
        for (const one of given) {
          if (!isReached) {
            model.release(one);
            continue;
          }
          const tipId = await closedBy(one.id);
          model.capture(one, tokensOf(one), tipId, await tipMoment(tipId));
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
        id: lotId ?? '',
        viewer: step.viewer,
        payment: null,
        pricePaise: 0,
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

    async 'send-refunds'() {
      await takeRefundsToSend(db, roundMax);
      for (const refund of model.refunds) {
        if (refund.state === 'approved') refund.state = 'sent';
      }
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

  const isRacer = (kind: Act['kind']): kind is RacerKind => kind in racers;
  // Each act takes the step of its own kind.
  const planOf = (step: ActOf<RacerKind>) =>
    (racers[step.kind] as (step: ActOf<RacerKind>) => Plan | null)(step);

  async function alone(plan: Plan | null): Promise<void> {
    if (!plan) return;
    const [effect, ...others] = [await plan()].flat();
    expect(others).toEqual([]);
    effect?.(model);
  }

  /** Different acts at once: what they did must be what the model does in one of their orders. */
  async function race(steps: readonly ActOf<RacerKind>[]): Promise<void> {
    const plans = steps.map(planOf).filter((plan) => plan !== null);
    const effects = (await Promise.all(plans.map((plan) => plan()))).flat();
    const held = await holdings();
    const differences: unknown[] = [];
    for (const order of ordersOf(effects)) {
      const on = model.clone();
      try {
        for (const apply of order) apply(on);
        expect(on.holdings()).toEqual(held);
        model = on;
        return;
      } catch (difference) {
        differences.push(difference);
      }
    }
    throw differences[0];
  }

  /** What the database says that everybody holds; performers by a sum over all their entries. */
  async function holdings(): Promise<Holdings> {
    const [row] = await database.asOwner<{
      held: Record<string, number> | null;
      spendable: number[];
      left: Record<string, number> | null;
      spent: Record<string, number> | null;
      waiting: Record<string, number> | null;
      disputed: Record<string, number> | null;
      turns: Record<string, number> | null;
    }>(
      `with own as materialized (select * from ledger.lots where owner_id = any ($1))
        select (select jsonb_object_agg(id,
            case when coalesce(expires_at, 'infinity') > now() then tokens_left else 0 end) from own) as "left",
          (select jsonb_object_agg(s.tip_id || ':' || l.id, s.tokens)
            from own l, ledger.spent_of_lot(l) s where s.tokens > 0) as spent,
          (select jsonb_object_agg(r.id || ':' || p.lot_id, p.tokens)
            from ledger.reservations r join ledger.reservation_lots p on p.reservation_id = r.id
            where r.viewer_id = any ($1) and r.state = 'open' and r.purpose in ('hold', 'goal')) as waiting,
          (select jsonb_object_agg(e.gateway_dispute_id || ':' || e.tip_id, e.paise * t.amount_tokens / t.earned_paise)
            from disputes d join disputed_earnings e using (gateway_dispute_id) join ledger.tips t on t.id = e.tip_id
            where d.user_id = any ($1)) as disputed,
          (select jsonb_object_agg(gateway_dispute_id, turns) from disputes where user_id = any ($1)) as turns,
          (select jsonb_object_agg(owner_id || class, held) from (
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
    const house = await houseHolds();
    return {
      house: {
        clearing: house.clearing - before.clearing,
        unexplained: house.unexplained - before.unexplained,
      },
      left: row?.left ?? {},
      spent: row?.spent ?? {},
      waiting: row?.waiting ?? {},
      disputed: row?.disputed ?? {},
      turns: row?.turns ?? {},
      spendable: row?.spendable ?? [],
      performers: stage.streams.map(({ performerId: id }) => ({
        pending: row?.held?.[`${id}performer_pending`] ?? 0,
        available: row?.held?.[`${id}performer_available`] ?? 0,
        held: row?.held?.[`${id}performer_held`] ?? 0,
        asked: row?.held?.[`${id}payout_pending`] ?? 0,
        paid: Number(paid.find((one) => one.performer_id === id)?.paise ?? 0),
      })),
    };
  }

  return {
    async perform(step: Act): Promise<void> {
      if (step.kind === 'race') await race(step.steps);
      else if (!isRacer(step.kind)) await (others[step.kind] as (step: Act) => Promise<void>)(step);
      else await alone(planOf(step as ActOf<RacerKind>));
    },

    holdings,

    /** What the model says that everybody holds. */
    expected: () => model.holdings(),
  };
}
