// The books: what they held at any moment, who may change them by hand, and who may not touch them at all.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import {
  balanceAt,
  decideAdjustment,
  proposeAdjustment,
  readBalance,
  readTrialBalance,
  sealJournal,
  verifyBooks,
} from './index.ts';

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
});
afterAll(async () => {
  await database.close();
});

const code = async (promise: Promise<unknown>) => (await refusalOf(promise)).code;

describe('the past', () => {
  test('what an account held can be asked for at every moment', async () => {
    const { user, order } = await cast.buyer();
    const { performer, streamId } = await cast.liveStream();
    const moment = async () => {
      const [row] = await database.asOwner<{ at: string }>('select clock_timestamp()::text as at');
      return row?.at ?? '';
    };
    const moments: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      moments.push(await moment());
      await cast.tipped(user.id, streamId, 5);
    }
    await sealJournal(database.db);
    const held = async (name: string, ownerId: string, at: string) => {
      const [row] = await database.asOwner<{ held: string }>(
        'select ledger.balance_at($1, $2, $3) as held',
        [name, ownerId, at],
      );
      return Number(row?.held);
    };
    for (const [turn, at] of moments.entries()) {
      expect(await held('viewer_tokens', user.id, at)).toBe(order.tokens - 5 * turn);
      expect(await held('performer_pending', performer.id, at)).toBe(250 * turn);
    }
    expect(await held('viewer_tokens', user.id, '2020-01-01')).toBe(0);
    const now = { class: 'viewer_tokens', ownerId: user.id, at: new Date() };
    expect(await balanceAt(database.db, now)).toBe(order.tokens - 20);
    expect(await balanceAt(database.db, { ...now, ownerId: performer.id })).toBe(0);
    const cash = { class: 'gateway_clearing', ownerId: null, at: new Date() };
    expect(await balanceAt(database.db, cash)).toBeGreaterThan(0);
  });

  test('at no moment was a wallet below zero, also where purchases and tips raced', async () => {
    const { user } = await cast.buyer();
    const { streamId } = await cast.liveStream();
    const orders = await Promise.all(Array.from({ length: 4 }, () => cast.orderOf(user.id)));
    await Promise.allSettled([
      ...Array.from({ length: 40 }, () => cast.tipped(user.id, streamId, 5)),
      ...orders.map((order) => cast.pay(order)),
      ...Array.from({ length: 40 }, () => cast.tipped(user.id, streamId, 5)),
    ]);
    const [row] = await database.asOwner<{ least: string }>(
      `select min(held) as least from (
        select sum(-e.amount) over (partition by e.account_id order by j.created_at, j.id
            rows between unbounded preceding and current row) as held
          from ledger.entries e
          join ledger.journal j on j.id = e.journal_id
          join ledger.accounts a on a.id = e.account_id and a.guard = 'lots') h`,
    );
    expect(Number(row?.least)).toBeGreaterThanOrEqual(0);
  });

  test('the trial balance is the sum of all entries, sealed or not', async () => {
    const { user } = await cast.buyer();
    const { streamId } = await cast.liveStream();
    for (let turn = 0; turn < 4; turn += 1) {
      await cast.tipped(user.id, streamId, 3);
      if (turn % 2) await sealJournal(database.db, 2);
      const sums = await database.asOwner<{ class: string; amount: string }>(
        `select a.class, sum(e.amount) as amount
          from ledger.entries e join ledger.accounts a on a.id = e.account_id group by a.class`,
      );
      const rows = await readTrialBalance(database.db);
      for (const { class: name, amount } of sums) {
        const row = rows.find((found) => found.accountClass === name);
        expect((row?.debit ?? 0) - (row?.credit ?? 0), name).toBe(Number(amount));
      }
      for (const currency of ['TOKEN', 'INR']) {
        const own = rows.filter((found) => found.currency === currency);
        expect(own.reduce((sum, found) => sum + found.debit - found.credit, 0)).toBe(0);
      }
    }
  });
});

describe('changes by hand', () => {
  type Lines = Parameters<typeof proposeAdjustment>[1]['lines'];
  let staff: string[];

  beforeAll(async () => {
    staff = await Promise.all(
      Array.from({ length: 3 }, async () => (await cast.person('admin')).id),
    );
  });

  const propose = (lines: Lines, more: { staffId?: string; key?: string } = {}) =>
    proposeAdjustment(database.db, {
      staffId: more.staffId ?? staff[0] ?? '',
      lines,
      reason: 'a correction',
      idempotencyKey: more.key ?? cast.unique('key'),
    });
  const house = (name: string, amount: number) => ({ class: name, ownerId: null, amount });
  const fee: Lines = [house('bank', -500), house('payout_fees', 500)];

  test('one of the staff proposes, another one approves, and it is booked once', async () => {
    const proposed = await cast.movedBy(() => propose(fee));
    expect(proposed).toEqual({});
    const { id } = await propose(fee);
    expect(await code(decideAdjustment(database.db, id, staff[0] ?? '', true))).toBe(
      'second-person-needed',
    );
    const moved = await cast.movedBy(async () => {
      const outcomes = await Promise.allSettled([
        ...Array.from({ length: 4 }, () => decideAdjustment(database.db, id, staff[1] ?? '', true)),
        ...Array.from({ length: 4 }, () => decideAdjustment(database.db, id, staff[2] ?? '', true)),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
    });
    expect(moved).toEqual({ bank: -500, payout_fees: 500 });
    expect(await code(decideAdjustment(database.db, id, staff[2] ?? '', false))).toBe(
      'already-decided',
    );
  });

  test('whoever proposed it may take it back; nobody else than staff does anything', async () => {
    const viewer = await cast.person();
    const { id } = await propose(fee);
    expect(await code(propose(fee, { staffId: viewer.id }))).toBe('forbidden');
    expect(await code(decideAdjustment(database.db, id, viewer.id, true))).toBe('forbidden');
    const moved = await cast.movedBy(async () => {
      expect(await decideAdjustment(database.db, id, staff[0] ?? '', false)).toMatchObject({
        state: 'rejected',
      });
    });
    expect(moved).toEqual({});
  });

  test('nobody of the staff proposes or approves what changes an account of their own', async () => {
    const own: Lines = [
      { class: 'performer_available', ownerId: staff[1] ?? '', amount: -1_000 },
      house('platform_revenue', 1_000),
    ];
    expect(await code(propose(own, { staffId: staff[1] ?? '' }))).toBe('forbidden');
    const { id } = await propose(own);
    expect(await code(decideAdjustment(database.db, id, staff[1] ?? '', true))).toBe(
      'second-person-needed',
    );
    await decideAdjustment(database.db, id, staff[2] ?? '', true);
    expect(await cast.accountsOf(staff[1] ?? '')).toEqual({ performer_available: 1_000 });
  });

  test('the same key proposes once, and is refused for other lines', async () => {
    const key = cast.unique('key');
    const made = await Promise.all(Array.from({ length: 5 }, () => propose(fee, { key })));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(await code(propose(fee.toReversed(), { key }))).toBe('idempotency-key-reused');
  });

  test('it takes no more from a performer than is available, and nothing from people who do not exist', async () => {
    const performer = await cast.person('performer');
    const take = (ownerId: string, amount: number): Lines => [
      { class: 'performer_available', ownerId, amount },
      house('platform_revenue', -amount),
    ];
    const gift = await propose(take(performer.id, -1_000));
    await decideAdjustment(database.db, gift.id, staff[1] ?? '', true);
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_available: 1_000 });
    const { id } = await propose(take(performer.id, 1_001));
    expect(await code(decideAdjustment(database.db, id, staff[1] ?? '', true))).toBe(
      'insufficient-balance',
    );
    expect(await code(propose(take('01980000-0000-7000-8000-000000000000', -5)))).toBe(
      'invalid-request',
    );
  });

  test('what goes along with other rows is not changed by hand, whatever the class', async () => {
    const { user } = await cast.buyer();
    const classes = await database.asOwner<{
      class: string;
      currency: string;
      owned: boolean;
      adjustable: boolean;
    }>('select class, currency, owned, adjustable from ledger.account_classes');
    for (const { class: name, currency, owned, adjustable } of classes) {
      const ownerId = owned ? user.id : null;
      const lines: Lines =
        currency === 'TOKEN'
          ? [
              { class: name, ownerId, amount: 5 },
              { class: 'tokens_outstanding', ownerId: null, amount: -5 },
            ]
          : [{ class: name, ownerId, amount: 5 }, house('bank', -5)];
      if (adjustable) await propose(lines);
      else expect(await code(propose(lines)), name).toBe('invalid-request');
    }
    expect(classes.filter(({ adjustable }) => adjustable)).toHaveLength(12);
  });

  test('lines that do not balance, name nothing known, or are none, are refused', async () => {
    const attempts: Lines[] = [
      [house('bank', 5), house('unexplained', -4)],
      [house('bank', 0), house('unexplained', 0)],
      [house('bank', 5)],
      [house('no_such_class', 5), house('bank', -5)],
      [{ class: 'bank', ownerId: staff[2] ?? '', amount: 5 }, house('unexplained', -5)],
      [house('performer_available', 5), house('bank', -5)],
      Array.from({ length: 21 }, (_, turn) => house('bank', turn - 10)),
      [],
    ];
    for (const lines of attempts) expect(await code(propose(lines))).toBe('invalid-request');
  });
});

describe('what nobody may write', () => {
  test('an entry that names a lot of somebody else is refused, even from the owner', async () => {
    const [one, other] = [await cast.buyer(), await cast.buyer()];
    const [lot] = await database.asOwner<{ id: string }>(
      'select id from ledger.lots where owner_id = $1',
      [other.user.id],
    );
    await expect(
      database.asOwner(
        `select ledger.record(uuid_v7(), 'tip', 'forged', '', '{}', array[
          ledger.line('viewer_tokens', '${one.user.id}', 5, '${lot?.id}'),
          ledger.line('tokens_outstanding', null, -5)])`,
      ),
    ).rejects.toThrow('a lot of another account');
    expect(await readBalance(database.db, other.user.id)).toBe(other.order.tokens);
  });

  test('a cheaper package and a higher pay-out, each right by itself, are not both taken', async () => {
    const connect = async () => {
      const client = new pg.Client({ connectionString: database.ownerUrl });
      await client.connect();
      await client.query('begin');
      return client;
    };
    const [one, other] = [await connect(), await connect()];
    // At 70 paise a token the packages on sale still pay; so does one at 60 as long as it is 50.
    await one.query('insert into ledger.fee_policies values (7, 70)');
    let isOver = false;
    const second = other
      .query(
        `insert into packages (name, tokens, price_paise, gst_rate_bp) values ('Cheap', 1000, 70800, 1800)`,
      )
      .then(() => null)
      .catch((error: pg.DatabaseError) => error.constraint)
      .finally(() => {
        isOver = true;
      });
    // The second has looked before the first commits, unless it waits for it.
    while (!isOver) {
      const [row] = await database.asOwner<{ waits: boolean }>(
        'select exists (select from pg_locks where not granted) as waits',
      );
      if (row?.waits) break;
    }
    await one.query('commit');
    expect(await second).toBe('no_arbitrage');
    await Promise.all([one.end(), other.end()]);
    // A policy that is only to come counts as well.
    await expect(
      database.asOwner(`insert into ledger.fee_policies values (9, 90, now() + interval '1 year')`),
    ).rejects.toMatchObject({ constraint: 'no_arbitrage' });
  });
});

describe('the rights of the services', () => {
  const service = 'livepanty_edge';

  test('they write to few tables, and remove from fewer', async () => {
    const rows = await database.asOwner<{ relation: string; rights: string[] }>(
      `select n.nspname || '.' || c.relname as relation,
          array(select r from unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) r
            where has_table_privilege('${service}', c.oid, r)
              or (r in ('INSERT', 'UPDATE') and has_any_column_privilege('${service}', c.oid, r))) as rights
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and c.relkind in ('r', 'v', 'p', 'm')`,
    );
    const writable = Object.fromEntries(
      rows.filter(({ rights }) => rights.length > 0).map((row) => [row.relation, row.rights]),
    );
    expect(writable).toEqual({
      'public.sessions': ['DELETE'],
      'public.events': ['UPDATE'],
      'public.webhook_events': ['INSERT', 'UPDATE'],
    });
    const columns = await database.asOwner<{ column: string }>(
      `select c.relname || '.' || a.attname as column
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relname in ('users', 'events') and a.attnum > 0
          and has_column_privilege('${service}', c.oid, a.attnum, 'UPDATE') order by 1`,
    );
    expect(columns.map(({ column }) => column)).toEqual(['events.published_at']);
  });

  test('they read everything but what is sealed', async () => {
    const rows = await database.asOwner<{ column: string }>(
      `select n.nspname || '.' || c.relname || '.' || a.attname as column
        from pg_attribute a
        join pg_class c on c.oid = a.attrelid
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'ledger') and c.relkind in ('r', 'v') and a.attnum > 0
          and not a.attisdropped and not has_column_privilege('${service}', c.oid, a.attnum, 'SELECT')`,
    );
    const hidden = rows.map(({ column }) => column);
    expect(hidden).toEqual(
      expect.arrayContaining([
        'public.payout_accounts.sealed_details',
        'public.tax_profiles.sealed_pan',
        'public.former_pans.sealed_pan',
        'public.users.password_hash',
      ]),
    );
    expect(new Set(hidden.map((column) => column.split('.')[1]))).toEqual(
      new Set([
        'payout_accounts',
        'tax_profiles',
        'former_pans',
        'users',
        'refresh_tokens',
        'stream_keys',
        'mail_tokens',
        'mails',
        'totp_factors',
        'recovery_codes',
        'passkeys',
        'challenges',
        'known_devices',
      ]),
    );
  });

  test('they carry out whole acts, and nothing that an act is made of', async () => {
    const rows = await database.asOwner<{
      name: string;
      definer: boolean;
      pinned: boolean;
      writes: boolean;
      theirs: boolean;
      everybodys: boolean;
    }>(
      `select n.nspname || '.' || p.proname as name, p.prosecdef as definer,
          coalesce(p.proconfig::text like '%search_path=public, pg_temp%', false) as pinned,
          p.provolatile = 'v' as writes,
          has_function_privilege('${service}', p.oid, 'execute') as theirs,
          has_function_privilege('public', p.oid, 'execute') as everybodys
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('public', 'ledger')`,
    );
    const names = (wanted: (row: (typeof rows)[number]) => boolean) =>
      rows
        .filter(wanted)
        .map(({ name }) => name)
        .toSorted();
    expect(names(({ everybodys }) => everybodys)).toEqual([]);
    // What runs with the owner's rights finds its names where the owner put them.
    expect(names(({ definer, pinned }) => definer && !pinned)).toEqual([]);
    // Parts of acts would write with the services' own rights, which suffice for nothing.
    expect(names(({ theirs, definer, writes }) => theirs && writes && !definer)).toEqual([
      'public.refuse',
      'public.uuid_v7',
    ]);
    const internal = ['record', 'line', 'account_of', 'open_lot', 'reserve', 'move_lot', 'reverse'];
    for (const name of internal) {
      expect(rows.find((row) => row.name === `ledger.${name}`)?.theirs, name).toBe(false);
    }
    expect(names(({ theirs, definer }) => theirs && definer).length).toBeGreaterThan(50);
  });

  test('what they try all the same is denied', async () => {
    const { user } = await cast.buyer();
    for (const attempt of [
      `select ledger.record(uuid_v7(), 'tip', 'forged', '', '{}', '{}')`,
      `select ledger.open_lot(uuid_v7(), '${user.id}', 'viewer_tokens', 5, 5, 0, null)`,
      `select ledger.purchase_captured(o, 'pay_forged') from orders o`,
      `select ledger.refund_failed(r, p) from refunds r, payments p`,
      `select close_case('dispute', 'x', 'x')`,
      `update ledger.sealer set released_through = 1000000`,
      `update ledger.totals set credit = 0`,
      `update ledger.tip_totals set tokens = 0`,
      `update users set banned_at = null`,
      `update users set email = 'me@example.com'`,
      `insert into cases (kind, subject, details) values ('x', 'x', '{}')`,
      `delete from audit_log`,
      `insert into ledger.blocks values (99, 1, 1, '', '')`,
      `update payouts set state = 'approved'`,
      `insert into payout_approvals (payout_id, approved_by) select id, performer_id from payouts`,
      `update settlement_items set explained = 'payment'`,
    ]) {
      await expect(database.db.execute(attempt), attempt).rejects.toMatchObject({
        cause: { code: '42501' },
      });
    }
  });
});

test('after all of this every invariant holds', async () => {
  expect(await verifyBooks(database.db)).toEqual([]);
});
