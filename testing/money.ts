// People with money for tests of the database: buyers, live performers and staff, made through the acts themselves.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Me, Role } from '#contract';
import {
  createOrder,
  createStream,
  createUser,
  listPackages,
  observePayment,
  type PlacedOrder,
  Refusal,
  sealJournal,
  setGatewayOrder,
  setPayoutAccount,
  tip,
  transitionStream,
} from '#db';
import type { OwnedDatabase } from './database.ts';

export interface Buyer {
  user: Me;
  order: PlacedOrder;
  gatewayPaymentId: string;
}

/** A hash as ours are, which no password has. */
const noPassword = `$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2E$${'A'.repeat(43)}`;

/** Acts of people on one database; names and keys are never used twice. */
export function createMoneyCast(database: OwnedDatabase) {
  const { db } = database;
  const unique = (prefix: string) => `${prefix}_${randomUUID().replaceAll('-', '')}`;

  async function person(role: Role = 'viewer'): Promise<Me> {
    const name = unique('p').slice(0, 22);
    const user = await createUser(db, {
      email: `${name}@example.com`,
      username: name,
      passwordHash: noPassword,
      dateOfBirth: '1990-01-01',
      country: 'IN',
    });
    // An account of yesterday is not a new one any more.
    await database.asOwner(
      `update users set role = $2, created_at = now() - interval '1 year', email_verified_at = now() where id = $1`,
      [user.id, role],
    );
    return { ...user, emailVerified: true, role };
  }

  /** An order of a package (by its place in the list, smallest first) that the gateway knows. */
  async function orderOf(userId: string, packageIndex = 0): Promise<PlacedOrder> {
    const chosen = (await listPackages(db))[packageIndex];
    if (!chosen) throw new Error('no such package is on sale');
    const order = await createOrder(db, {
      userId,
      packageId: chosen.id,
      idempotencyKey: unique('key'),
    });
    return setGatewayOrder(db, order.id, unique('order'));
  }

  async function pay(order: PlacedOrder): Promise<string> {
    const gatewayPaymentId = unique('pay');
    await observePayment(db, {
      gatewayPaymentId,
      gatewayOrderId: order.gatewayOrderId ?? '',
      amountPaise: order.amountPaise,
      currency: 'INR',
      status: 'captured',
    });
    return gatewayPaymentId;
  }

  /** Seals every act. A transaction of another database of the server holds the sealer back for a moment. */
  async function sealAll(): Promise<void> {
    for (;;) {
      await sealJournal(db);
      const [row] = await database.asOwner<{ waiting: boolean }>(
        `select exists (select from ledger.journal j
          where not exists (select from ledger.sealed s where s.journal_id = j.id)) as waiting`,
      );
      if (!row?.waiting) return;
    }
  }

  /** Lets the waiting time of all earnings that are sealed be over. Their end was signed in time. */
  async function ageBlocks(): Promise<void> {
    await database.asOwner(
      `select ledger.checkpoint_signed(due, 'signed in time', 'a key of before')
        from ledger.checkpoint_due() due where due is not null`,
    );
    await database.asOwner(
      `begin;
      set local session_replication_role = replica;
      update ledger.blocks set sealed_at = sealed_at - interval '30 days'
        where sealed_at > now() - interval '30 days';
      commit`,
    );
  }

  /** What all accounts of each class hold together, on their normal side: a sum over every entry. */
  async function heldByClass(): Promise<Map<string, number>> {
    const rows = await database.asOwner<{ class: string; held: string }>(
      `select a.class, sum(case a.normal_side when 'debit' then e.amount else -e.amount end) as held
        from ledger.entries e join ledger.accounts a on a.id = e.account_id group by a.class`,
    );
    return new Map(rows.map((row) => [row.class, Number(row.held)]));
  }

  return {
    unique,
    person,
    orderOf,
    pay,

    /** What an act moves in the books, by class; nothing else may happen meanwhile. */
    async movedBy(act: () => Promise<unknown>): Promise<Record<string, number>> {
      const before = await heldByClass();
      await act();
      const moved: Record<string, number> = {};
      for (const [name, held] of await heldByClass()) {
        const difference = held - (before.get(name) ?? 0);
        if (difference !== 0) moved[name] = difference;
      }
      return moved;
    },

    /** What the accounts of one owner hold, by class; empty ones are left out. */
    async accountsOf(ownerId: string | null): Promise<Record<string, number>> {
      const rows = await database.asOwner<{ class: string; held: string }>(
        `select a.class, sum(case a.normal_side when 'debit' then e.amount else -e.amount end) as held
          from ledger.entries e join ledger.accounts a on a.id = e.account_id
          where a.owner_id is not distinct from $1
          group by a.class having sum(e.amount) <> 0 order by a.class`,
        [ownerId],
      );
      return Object.fromEntries(rows.map((row) => [row.class, Number(row.held)]));
    },

    /** What is left in a viewer's lots, oldest first. */
    async lotsOf(ownerId: string): Promise<{ tokens: number; paise: number }[]> {
      const rows = await database.asOwner<{ tokens: string; paise: string }>(
        `select tokens_left as tokens, paise_left as paise from ledger.lots where owner_id = $1 order by id`,
        [ownerId],
      );
      return rows.map((row) => ({ tokens: Number(row.tokens), paise: Number(row.paise) }));
    },

    /** The kinds of the open cases of a subject. */
    async casesOf(subject: string): Promise<string[]> {
      const rows = await database.asOwner<{ kind: string }>(
        `select kind from cases where subject = $1 and state = 'open' order by kind`,
        [subject],
      );
      return rows.map((row) => row.kind);
    },

    /** The invariants that do not hold when something is changed behind the back of all rules; it is undone again. */
    async whenForged(change: string): Promise<string[]> {
      const client = new pg.Client({ connectionString: database.ownerUrl });
      await client.connect();
      try {
        await client.query('begin');
        await client.query('set local session_replication_role = replica');
        await client.query(change);
        const { rows } = await client.query<{ invariant: string }>(
          'select distinct invariant from ledger.verify() order by invariant',
        );
        return rows.map((row) => row.invariant);
      } finally {
        await client.end();
      }
    },

    /** Puts a rule into force; null switches it off. */
    async setRule(name: string, value: number | null): Promise<void> {
      await database.asOwner(
        `insert into rules (name, value, meaning) values ($1, $2, 'for a test')`,
        [name, value],
      );
    },

    /** A viewer with the tokens of one package. */
    async buyer(packageIndex = 0): Promise<Buyer> {
      const user = await person();
      const order = await orderOf(user.id, packageIndex);
      return { user, order, gatewayPaymentId: await pay(order) };
    },

    async liveStream(): Promise<{ performer: Me; streamId: string }> {
      const performer = await person('performer');
      const said = { title: 'A stream', category: 'music' } as const;
      const { id: streamId } = await createStream(db, performer.id, said, unique('key'));
      await transitionStream(db, streamId, 'starting');
      await transitionStream(db, streamId, 'live');
      return { performer, streamId };
    },

    /** A UPI address that was verified and can be paid to. */
    async verifiedAccount(performerId: string): Promise<void> {
      const account = await setPayoutAccount(db, {
        performerId,
        kind: 'upi',
        sealedDetails: 'sealed',
        mask: 'pe••••@okaxis',
        detailsHash: unique('hash'),
      });
      await database.asOwner(
        `update payout_accounts set state = 'verified', gateway_fund_account_id = $2, next_attempt_at = null
          where id = $1`,
        [account.id, unique('fa')],
      );
    },

    /** Tips of a viewer to a performer's stream, one after another. */
    async tipped(viewerId: string, streamId: string, ...amounts: number[]): Promise<void> {
      for (const amountTokens of amounts) {
        await tip(db, {
          viewerId,
          streamId,
          amountTokens,
          message: '',
          anonymous: false,
          idempotencyKey: unique('key'),
        });
      }
    },

    /** Puts an act, with the reservation that it made, into the past. Answers its new id. */
    async backdate(actId: string, interval: string): Promise<string> {
      const [row] = await database.asOwner<{ id: string }>(
        `select overlay(uuid_v7()::text placing
            substr(uuid_v7_floor(created_at - $2::interval)::text, 1, 13) from 1 for 13) as id
          from ledger.journal where id = $1`,
        [actId, interval],
      );
      const id = row?.id ?? '';
      await database.asOwner(
        `begin;
        set local session_replication_role = replica;
        update ledger.journal set id = '${id}', created_at = created_at - interval '${interval}'
          where id = '${actId}';
        update ledger.entries set journal_id = '${id}' where journal_id = '${actId}';
        update ledger.reservations set id = '${id}', created_at = created_at - interval '${interval}'
          where id = '${actId}';
        update ledger.reservation_lots set reservation_id = '${id}' where reservation_id = '${actId}';
        commit`,
      );
      return id;
    },

    sealAll,

    ageBlocks,

    /** Lets the waiting time of all earnings of before be over. */
    async ageEarnings(): Promise<void> {
      await sealAll();
      await ageBlocks();
    },
  };
}

/** The refusal that a promise ends with; anything else is a fault of the test. */
export async function refusalOf(promise: Promise<unknown>): Promise<Refusal> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Refusal)) throw new Error(`expected a refusal, got ${String(error)}`);
  return error;
}
