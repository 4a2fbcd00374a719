// A model of the money in memory: tokens by lots, reservations, tips, refunds, disputes and settlements, without a
// thought for rounding, speed or concurrency. What the books say must be what it says.

export const payoutPaisePerToken = 50;

export interface Lot {
  id: string;
  viewer: number;
  /** Null where nobody paid for it. */
  payment: string | null;
  /** Lots are spent in the order of this, given ones first. */
  place: string;
  tokens: number;
  left: number;
  /** What its payment cost; 0 where nobody paid. */
  pricePaise: number;
  /** Its time is over: what is left of it, or comes back to it, is nobody's. */
  expired: boolean;
  /** Money of its payment has gone back in another way than by a refund of ours. */
  gaveBack: boolean;
  settled: boolean;
}

export interface Portion {
  lot: Lot;
  tokens: number;
}

export interface Reservation {
  id: string;
  viewer: number;
  purpose: 'hold' | 'goal' | 'refund';
  performer: number;
  goal: string | null;
  portions: Portion[];
  state: 'open' | 'captured' | 'released';
  /** How many of its tokens were paid. */
  captured: number;
}

export interface Tip {
  id: string;
  /** The moment of its commit, as text that sorts. */
  madeAt: string;
  performer: number;
  portions: Portion[];
  /** Tokens whose earnings disputes hold, or have taken. */
  held: Map<string, number>;
  released: boolean;
}

export interface Dispute {
  id: string;
  lot: Lot;
  amountPaise: number;
  /** The tokens that its money paid for. */
  wanted: number;
  /** The tokens that it has got. */
  tokens: number;
  state: 'open' | 'won' | 'lost';
  /** How often it was taken up again. */
  turns: number;
  /** Which of its phases, the first one being 0. */
  phase: number;
  madeAt: string;
  /** Lines of settlements that took its money, and that brought it back. */
  lines: { taken: number; brought: number };
}

export interface Refund {
  id: string;
  lot: Lot;
  amountPaise: number;
  /** What of the lot it has got. */
  tokens: number;
  /** Where they wait until it is decided; null for one that was made at the gateway. */
  reservation: Reservation | null;
  state: 'requested' | 'rejected' | 'approved' | 'sent' | 'processed' | 'failed';
  /** What staff said; null as long as nobody has. */
  approved: boolean | null;
  madeAt: string;
  settled: boolean;
}

/** A line of a settlement: what it is about, and what it brings before the gateway's fee. */
export interface Line {
  type: 'payment' | 'refund' | 'dispute' | 'nothing';
  id: string;
  paise: number;
}

export interface Payout {
  id: string;
  performer: number;
  paise: number;
  netPaise: number;
  state: 'requested' | 'approved' | 'sending' | 'paid' | 'failed' | 'rejected' | 'reversed';
}

export interface Holdings {
  /** What the gateway owes, and what of its settlements nothing explains, since the history began. */
  house: { clearing: number; unexplained: number };
  /** By their ids: what is left in lots, and of which lots tips were paid and open holds and goals wait. */
  left: Record<string, number>;
  spent: Record<string, number>;
  waiting: Record<string, number>;
  /** Tokens whose earnings disputes hold or have taken, by dispute and tip. */
  disputed: Record<string, number>;
  /** How often disputes were opened anew: the lines of settlements are told apart by it. */
  turns: Record<string, number>;
  spendable: number[];
  performers: { pending: number; available: number; held: number; asked: number; paid: number }[];
}

const sum = (amounts: Iterable<number>) =>
  [...amounts].reduce((total, amount) => total + amount, 0);

/** The tokens that a part of a price has paid for, a begun one included. */
const tokensFor = (paise: number, { pricePaise, tokens }: Lot) =>
  Math.min(tokens, Math.floor((paise * tokens + pricePaise - 1) / pricePaise));

const emptyState = (performers: number) => ({
  lots: [] as Lot[],
  reservations: [] as Reservation[],
  tips: [] as Tip[],
  disputes: [] as Dispute[],
  refunds: [] as Refund[],
  payouts: [] as Payout[],
  /** Lines that nothing has explained yet. */
  unexplained: [] as Line[],
  available: Array.from({ length: performers }, () => 0),
  house: { clearing: 0, unexplained: 0 },
});

export interface MoneyModel extends ReturnType<typeof createMoneyModel> {}

export function createMoneyModel(
  viewers: number,
  performers: number,
  state = emptyState(performers),
) {
  const { lots, reservations, tips, disputes, refunds, payouts, unexplained, available, house } =
    state;

  const spendable = (viewer: number) =>
    sum(lots.filter((lot) => lot.viewer === viewer && !lot.expired).map((lot) => lot.left));

  /** From which lots so many tokens come; they are gone from there. Null when there are not enough. */
  function take(viewer: number, tokens: number, only?: Lot): Portion[] | null {
    const own = lots
      .filter((lot) => lot.viewer === viewer && !lot.expired && (!only || lot === only))
      .toSorted((a, b) =>
        (a.payment === null) === (b.payment === null)
          ? a.place < b.place
            ? -1
            : 1
          : a.payment === null
            ? -1
            : 1,
      );
    if (sum(own.map((lot) => lot.left)) < tokens) return null;
    const portions: Portion[] = [];
    let open = tokens;
    for (const lot of own) {
      const taken = Math.min(open, lot.left);
      if (taken === 0) continue;
      lot.left -= taken;
      open -= taken;
      portions.push({ lot, tokens: taken });
    }
    return portions;
  }

  function giveBack(portions: readonly Portion[]): void {
    for (const { lot, tokens } of portions) lot.left += tokens;
  }

  function addTip(id: string, performer: number, portions: Portion[], madeAt: string): void {
    tips.push({ id, madeAt, performer, portions, held: new Map(), released: false });
  }

  function release(reservation: Reservation): void {
    giveBack(reservation.portions);
    reservation.state = 'released';
  }

  /** What nobody has sent yet does not leave when the money leaves in another way. */
  function withdrawRefunds(lot: Lot): void {
    for (const refund of refunds) {
      if (refund.lot !== lot || !refund.reservation) continue;
      if (refund.state === 'requested') {
        release(refund.reservation);
        refund.state = 'rejected';
      } else if (refund.state === 'approved') {
        giveBack(refund.reservation.portions);
        refund.state = 'failed';
      }
    }
  }

  /** So many tokens of a lot, as far as they are unspent, or wait for a show or a goal. */
  function claim(lot: Lot, wanted: number): number {
    withdrawRefunds(lot);
    const recallable = reservations
      .filter(
        ({ purpose, state, portions }) =>
          (purpose === 'hold' || purpose === 'goal') &&
          state === 'open' &&
          portions.some((portion) => portion.lot === lot),
      )
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
    for (const reservation of recallable) {
      if (lot.left >= wanted) break;
      release(reservation);
    }
    const tokens = Math.min(lot.left, wanted);
    lot.left -= tokens;
    return tokens;
  }

  /** Tokens that came back to a lot go to whoever still wants them, first to those whose money is gone. */
  function claimReturned(lot: Lot): void {
    const wanting = [
      ...refunds
        .filter(({ reservation, state }) => !reservation && state !== 'failed')
        .map((one) => ({ one, isGone: true, wanted: tokensFor(one.amountPaise, one.lot) })),
      ...disputes
        .filter(({ state }) => state !== 'won')
        .map((one) => ({
          one,
          isGone: one.state === 'lost',
          wanted: one.wanted - sum(tips.map((tip) => tip.held.get(one.id) ?? 0)),
        })),
    ]
      .filter(({ one }) => one.lot === lot)
      .toSorted(
        (a, b) =>
          Number(b.isGone) - Number(a.isGone) ||
          (a.one.madeAt < b.one.madeAt ? -1 : Number(a.one.madeAt > b.one.madeAt)),
      );
    for (const { one, wanted } of wanting) {
      const tokens = Math.min(lot.left, Math.max(0, wanted - one.tokens));
      lot.left -= tokens;
      one.tokens += tokens;
    }
  }

  /** The gateway takes the money of a dispute: tokens wait, and then earnings, the newest first. */
  function holdFor(dispute: Dispute): void {
    const { id, lot, wanted } = dispute;
    house.clearing -= dispute.amountPaise;
    dispute.state = 'open';
    dispute.tokens = claim(lot, wanted);
    let open = wanted - dispute.tokens;
    const waiting = tips
      .filter((tip) => !tip.released)
      .toSorted((a, b) =>
        a.madeAt === b.madeAt ? (a.id < b.id ? -1 : 1) : a.madeAt > b.madeAt ? -1 : 1,
      );
    for (const tip of waiting) {
      const spent = sum(tip.portions.filter((p) => p.lot === lot).map((p) => p.tokens));
      const others = disputes.filter((one) => one.lot === lot);
      const heldNow = sum(others.map((one) => tip.held.get(one.id) ?? 0));
      const held = Math.min(open, spent - heldNow);
      if (held <= 0) continue;
      tip.held.set(id, held);
      open -= held;
    }
  }

  function endDispute(dispute: Dispute, end: 'won' | 'lost'): void {
    dispute.state = end;
    if (end === 'lost') {
      dispute.lot.gaveBack = true;
      return;
    }
    house.clearing += dispute.amountPaise;
    dispute.lot.left += dispute.tokens;
    dispute.tokens = 0;
    for (const tip of tips) {
      const held = tip.held.get(dispute.id) ?? 0;
      tip.held.delete(dispute.id);
      if (tip.released) {
        available[tip.performer] = (available[tip.performer] ?? 0) + held * payoutPaisePerToken;
      }
    }
    claimReturned(dispute.lot);
  }

  /** Explains a line by what it is for, if that is known and was not settled before. Answers what it was for. */
  function explain({ type, id, paise }: Line): number | null {
    if (type === 'payment') {
      const lot = lots.find((one) => one.payment === id && !one.settled);
      if (!lot) return null;
      lot.settled = true;
      return lot.pricePaise;
    }
    if (type === 'refund') {
      const refund = refunds.find((one) => one.id === id && !one.settled);
      if (refund?.state !== 'processed') return null;
      refund.settled = true;
      return -refund.amountPaise;
    }
    const dispute = type === 'dispute' ? disputes.find((one) => one.id === id) : undefined;
    if (!dispute) return null;
    if (paise < 0) {
      if (dispute.lines.taken > dispute.turns) return null;
      dispute.lines.taken += 1;
      return -dispute.amountPaise;
    }
    if (dispute.lines.brought >= dispute.turns + Number(dispute.state === 'won')) return null;
    dispute.lines.brought += 1;
    return dispute.amountPaise;
  }

  return {
    lots,
    reservations,
    tips,
    disputes,
    refunds,
    payouts,
    unexplained,
    spendable,
    take,
    release,
    addTip,

    /** The same money, which then goes its own way. */
    clone: (): MoneyModel => createMoneyModel(viewers, performers, structuredClone(state)),

    addLot(lot: Omit<Lot, 'left' | 'expired' | 'gaveBack' | 'settled'>): void {
      lots.push({ ...lot, left: lot.tokens, expired: false, gaveBack: false, settled: false });
      house.clearing += lot.pricePaise;
    },

    reserve(reservation: Omit<Reservation, 'state' | 'captured'>): Reservation {
      const made: Reservation = { ...reservation, state: 'open', captured: 0 };
      reservations.push(made);
      return made;
    },

    /** Pays so many of the reserved tokens; the rest goes back. */
    capture(reservation: Reservation, tokens: number, tipId: string, madeAt: string): void {
      const paid: Portion[] = [];
      let open = tokens;
      for (const { lot, tokens: reserved } of reservation.portions) {
        const taken = Math.min(open, reserved);
        open -= taken;
        lot.left += reserved - taken;
        if (taken > 0) paid.push({ lot, tokens: taken });
      }
      reservation.state = 'captured';
      reservation.captured = tokens;
      addTip(tipId, reservation.performer, paid, madeAt);
    },

    /** A refund that somebody has made at the gateway. */
    refundByGateway(id: string, lot: Lot, amountPaise: number, madeAt: string): void {
      const tokens = claim(lot, tokensFor(amountPaise, lot));
      lot.gaveBack = true;
      refunds.push({
        id,
        lot,
        amountPaise,
        tokens,
        reservation: null,
        state: 'sent',
        approved: null,
        madeAt,
        settled: false,
      });
    },

    /** What the gateway says last of a refund that it has; another last word changes nothing. */
    endRefund(refund: Refund, end: 'processed' | 'failed'): void {
      if (refund.state !== 'sent') return;
      refund.state = end;
      if (end === 'processed') {
        house.clearing -= refund.amountPaise;
        return;
      }
      refund.lot.left += refund.tokens;
      claimReturned(refund.lot);
    },

    openDispute(id: string, lot: Lot, amountPaise: number, madeAt: string): void {
      const dispute: Dispute = {
        id,
        lot,
        amountPaise,
        wanted: tokensFor(amountPaise, lot),
        tokens: 0,
        state: 'open',
        turns: 0,
        phase: 0,
        madeAt,
        lines: { taken: 0, brought: 0 },
      };
      disputes.push(dispute);
      holdFor(dispute);
    },

    /** What the gateway says of a dispute that is known, in one of its phases. */
    sayDispute(dispute: Dispute, status: 'open' | 'won' | 'lost', phase: number): void {
      const isLater = phase > dispute.phase;
      dispute.phase = Math.max(phase, dispute.phase);
      if (dispute.state === 'lost') return;
      if (dispute.state === 'won') {
        if (status === 'won' || (status === 'open' && !isLater)) return;
        dispute.turns += 1;
        holdFor(dispute);
      }
      if (status !== 'open') endDispute(dispute, status);
    },

    /** Books a settlement: what nothing explains stands apart. Answers how many lines that are. */
    settle(lines: readonly Line[]): number {
      let cases = 0;
      for (const line of lines) {
        const explained = explain(line);
        if (explained === null) unexplained.push(line);
        if (explained !== line.paise) cases += 1;
        house.clearing -= explained ?? 0;
        house.unexplained += line.paise - (explained ?? 0);
      }
      return cases;
    },

    /** What lines are for may have become known since. */
    explainLate(): void {
      for (const line of unexplained.splice(0)) {
        const explained = explain(line);
        if (explained === null) unexplained.push(line);
        house.clearing -= explained ?? 0;
        house.unexplained -= explained ?? 0;
      }
    },

    releaseTips(isDue: (tip: Tip) => boolean): void {
      for (const tip of tips) {
        if (tip.released || !isDue(tip)) continue;
        const tokens = sum(tip.portions.map((p) => p.tokens)) - sum(tip.held.values());
        tip.released = true;
        available[tip.performer] = (available[tip.performer] ?? 0) + tokens * payoutPaisePerToken;
      }
    },

    availableOf: (performer: number) => available[performer] ?? 0,
    changeAvailable(performer: number, paise: number): void {
      available[performer] = (available[performer] ?? 0) + paise;
    },

    holdings(): Holdings {
      const openDisputes = new Set(
        disputes.filter(({ state }) => state === 'open').map(({ id }) => id),
      );
      const portionsOf = (from: readonly { id: string; portions: readonly Portion[] }[]) =>
        Object.fromEntries(
          from.flatMap(({ id, portions }) =>
            portions.map(({ lot, tokens }) => [`${id}:${lot.id}`, tokens]),
          ),
        );
      return {
        house: { ...house },
        left: Object.fromEntries(lots.map(({ id, left, expired }) => [id, expired ? 0 : left])),
        spent: portionsOf(tips),
        waiting: portionsOf(
          reservations.filter(
            ({ purpose, state }) => state === 'open' && (purpose === 'hold' || purpose === 'goal'),
          ),
        ),
        disputed: Object.fromEntries(
          tips.flatMap((tip) => [...tip.held].map(([id, tokens]) => [`${id}:${tip.id}`, tokens])),
        ),
        turns: Object.fromEntries(disputes.map(({ id, turns }) => [id, turns])),
        spendable: Array.from({ length: viewers }, (_, viewer) => spendable(viewer)),
        performers: Array.from({ length: performers }, (_, performer) => {
          const own = tips.filter((tip) => tip.performer === performer);
          const paiseOf = (states: Payout['state'][]) =>
            sum(
              payouts
                .filter((payout) => payout.performer === performer && states.includes(payout.state))
                .map(({ paise }) => paise),
            );
          return {
            pending:
              payoutPaisePerToken *
              sum(
                own
                  .filter((tip) => !tip.released)
                  .map((tip) => sum(tip.portions.map((p) => p.tokens)) - sum(tip.held.values())),
              ),
            available: available[performer] ?? 0,
            held:
              payoutPaisePerToken *
              sum(
                own.flatMap((tip) =>
                  [...tip.held].map(([id, tokens]) => (openDisputes.has(id) ? tokens : 0)),
                ),
              ),
            asked: paiseOf(['requested', 'approved', 'sending']),
            paid: paiseOf(['paid']),
          };
        }),
      };
    },
  };
}
