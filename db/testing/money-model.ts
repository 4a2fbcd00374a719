// A model of the money in memory: tokens by lots, reservations, tips and disputes, without a thought for rounding,
// speed or concurrency. What the books say must be what it says.

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
  /** Its time is over: what is left of it, or comes back to it, is nobody's. */
  expired: boolean;
}

export interface Portion {
  lot: Lot;
  tokens: number;
}

export interface Reservation {
  id: string;
  viewer: number;
  purpose: 'hold' | 'goal' | 'refund' | 'dispute';
  performer: number;
  goal: string | null;
  portions: Portion[];
  state: 'open' | 'captured' | 'released';
}

export interface Tip {
  id: string;
  /** Tips of one commit were made at the same moment. */
  batch: number;
  performer: number;
  portions: Portion[];
  /** Tokens whose earnings disputes hold, or have taken. */
  held: Map<string, number>;
  released: boolean;
}

export interface Dispute {
  id: string;
  lot: Lot;
  reservation: Reservation | null;
  state: 'open' | 'won' | 'lost';
}

export interface Refund {
  id: string;
  lot: Lot;
  amountPaise: number;
  reservation: Reservation;
  state: 'requested' | 'rejected' | 'approved' | 'sent' | 'processed' | 'failed';
}

export interface Payout {
  id: string;
  performer: number;
  paise: number;
  netPaise: number;
  state: 'requested' | 'approved' | 'sending' | 'paid' | 'failed' | 'rejected' | 'reversed';
}

export interface Holdings {
  spendable: number[];
  performers: { pending: number; available: number; held: number; asked: number; paid: number }[];
}

const sum = (amounts: Iterable<number>) =>
  [...amounts].reduce((total, amount) => total + amount, 0);

export type MoneyModel = ReturnType<typeof createMoneyModel>;

export function createMoneyModel(viewers: number, performers: number) {
  const lots: Lot[] = [];
  const reservations: Reservation[] = [];
  const tips: Tip[] = [];
  const disputes: Dispute[] = [];
  const refunds: Refund[] = [];
  const payouts: Payout[] = [];
  const available = Array.from({ length: performers }, () => 0);
  let batches = 0;

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

  function addTip(id: string, performer: number, portions: Portion[], batch: number): void {
    tips.push({ id, batch, performer, portions, held: new Map(), released: false });
  }

  function release(reservation: Reservation): void {
    giveBack(reservation.portions);
    reservation.state = 'released';
  }

  /** What nobody has sent yet does not leave when the money leaves in another way. */
  function withdrawRefunds(lot: Lot): void {
    for (const refund of refunds) {
      if (refund.lot !== lot) continue;
      if (refund.state === 'requested') {
        release(refund.reservation);
        refund.state = 'rejected';
      } else if (refund.state === 'approved') {
        giveBack(refund.reservation.portions);
        refund.state = 'failed';
      }
    }
  }

  return {
    lots,
    reservations,
    tips,
    disputes,
    refunds,
    payouts,
    spendable,
    take,
    giveBack,
    release,
    withdrawRefunds,

    addLot(lot: Omit<Lot, 'left' | 'expired'>): Lot {
      const made = { ...lot, left: lot.tokens, expired: false };
      lots.push(made);
      return made;
    },

    /** A commit whose tips are all of one moment. */
    newBatch(): number {
      batches += 1;
      return batches;
    },

    addTip,

    reserve(reservation: Omit<Reservation, 'state'>): Reservation {
      const made: Reservation = { ...reservation, state: 'open' };
      reservations.push(made);
      return made;
    },

    /** Pays so many of the reserved tokens; the rest goes back. */
    capture(reservation: Reservation, tokens: number, tipId: string, batch: number): void {
      const paid: Portion[] = [];
      let open = tokens;
      for (const { lot, tokens: reserved } of reservation.portions) {
        const taken = Math.min(open, reserved);
        open -= taken;
        lot.left += reserved - taken;
        if (taken > 0) paid.push({ lot, tokens: taken });
      }
      reservation.state = 'captured';
      addTip(tipId, reservation.performer, paid, batch);
    },

    openDispute(id: string, lot: Lot, wantedTokens: number): void {
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
        if (lot.left >= wantedTokens) break;
        release(reservation);
      }
      const tokens = Math.min(lot.left, wantedTokens);
      let reservation: Reservation | null = null;
      if (tokens > 0) {
        lot.left -= tokens;
        reservation = {
          id,
          viewer: lot.viewer,
          purpose: 'dispute',
          performer: -1,
          goal: null,
          portions: [{ lot, tokens }],
          state: 'open',
        };
        reservations.push(reservation);
      }
      let open = wantedTokens - tokens;
      const waiting = tips
        .filter((tip) => !tip.released)
        .toSorted((a, b) => b.batch - a.batch || (a.id < b.id ? -1 : 1));
      for (const tip of waiting) {
        const spent = sum(tip.portions.filter((p) => p.lot === lot).map((p) => p.tokens));
        const others = disputes.filter((dispute) => dispute.lot === lot);
        const heldNow = sum(others.map((dispute) => tip.held.get(dispute.id) ?? 0));
        const held = Math.min(open, spent - heldNow);
        if (held <= 0) continue;
        tip.held.set(id, held);
        open -= held;
      }
      disputes.push({ id, lot, reservation, state: 'open' });
    },

    endDispute(dispute: Dispute, state: 'won' | 'lost'): void {
      dispute.state = state;
      if (state === 'lost') {
        if (dispute.reservation) dispute.reservation.state = 'captured';
        return;
      }
      if (dispute.reservation) release(dispute.reservation);
      for (const tip of tips) {
        const held = tip.held.get(dispute.id) ?? 0;
        tip.held.delete(dispute.id);
        if (tip.released) {
          available[tip.performer] = (available[tip.performer] ?? 0) + held * payoutPaisePerToken;
        }
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
      return {
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
