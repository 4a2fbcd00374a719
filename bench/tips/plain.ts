// The plain way to tip, as most ledgers do it: the peer of the bench. Both balances and the platform's fee are
// rows; a transaction locks all three, moves them, and writes the same rows as the ledger does.
import { randomUUID } from 'node:crypto';
import type pg from 'pg';

/** Its tables have the columns and indexes of the ledger's own, which it does without the triggers of. */
export const plainTables = `
  create schema plain;
  create table plain.journal (like ledger.journal including all);
  create table plain.entries (like ledger.entries including all);
  create table plain.tips (like ledger.tips including all);
  create table plain.events (like events including all);
  create table plain.balances (id uuid primary key, balance bigint not null check (balance >= 0))
    with (fillfactor = 50);`;

export const feeAccount = '00000000-0000-0000-0000-000000000001';

/** One tip of a token of which the performer gets 50 paise and the platform 50. Ten round trips. */
export async function plainTip(
  client: pg.PoolClient,
  tip: { viewerId: string; performerId: string; streamId: string },
): Promise<void> {
  const { viewerId, performerId, streamId } = tip;
  const id = randomUUID();
  const run = (name: string, text: string, values: unknown[]) =>
    client.query({ name: `plain.${name}`, text, values });
  await client.query('begin');
  await run(
    'lock',
    'select id, balance from plain.balances where id in ($1, $2, $3) order by id for update',
    [viewerId, performerId, feeAccount],
  );
  await run('take', 'update plain.balances set balance = balance - $2 where id = $1', [
    viewerId,
    1,
  ]);
  await run('give', 'update plain.balances set balance = balance + $2 where id = $1', [
    performerId,
    50,
  ]);
  await run('fee', 'update plain.balances set balance = balance + $2 where id = $1', [
    feeAccount,
    50,
  ]);
  const receipt = JSON.stringify({ tipId: id, amountTokens: 1, replayed: false });
  await run(
    'journal',
    `insert into plain.journal (id, kind, idempotency_key, fingerprint, result)
      values ($1, 'tip', $2, $3, $4)`,
    [id, `tip:${viewerId}:${id}`, id, receipt],
  );
  await run(
    'entries',
    `insert into plain.entries (journal_id, line, account_id, currency, amount, lot_id) values
      ($1, 1, $2, 'TOKEN', 1, $2), ($1, 2, $2, 'INR', 100, $2), ($1, 3, $4, 'TOKEN', -1, null),
      ($1, 4, $3, 'INR', -50, null), ($1, 6, $4, 'INR', -50, null)`,
    [id, viewerId, performerId, feeAccount],
  );
  const { rows } = await run(
    'event',
    `insert into plain.events (stream_id, type, data) values ($1, 'tip.received', $2) returning id`,
    [streamId, receipt],
  );
  await run(
    'tip',
    `insert into plain.tips (id, stream_id, viewer_id, performer_id, amount_tokens, earned_paise, fee_paise,
        fee_policy_version, message, anonymous, event_id)
      values ($1, $2, $3, $4, 1, 50, 50, 1, 'well played', false, $5)`,
    [id, streamId, viewerId, performerId, rows[0].id],
  );
  await client.query('commit');
}
