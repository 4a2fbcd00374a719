// The books: the trial balance, balances of any moment, and the chain that seals them.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Checkpoint, Instant } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import { Refusal } from './refusal.ts';

const TrialBalanceRows = z.array(
  z.object({
    accountClass: z.string(),
    currency: z.string(),
    debit: z.int(),
    credit: z.int(),
  }),
);

export async function readTrialBalance(db: Db): Promise<z.infer<typeof TrialBalanceRows>> {
  return callFunction(
    db,
    sql`select jsonb_agg(jsonb_build_object(
        'accountClass', t.account_class, 'currency', t.currency, 'debit', t.debit, 'credit', t.credit))
      as result from ledger.trial_balance() t`,
    TrialBalanceRows,
  );
}

/**
 * What an account held at a moment, on its normal side: paise or tokens, as its class says. A `Date` is a
 * whole millisecond; what was written within it counts. Refuses `not-found` for a class that there is not.
 */
export async function balanceAt(
  db: Db,
  account: { class: string; ownerId: string | null; at: Date },
): Promise<number> {
  const balance = await callFunction(
    db,
    sql`select to_jsonb(ledger.balance_at(
      ${account.class}, ${account.ownerId}::uuid,
      ${account.at.toISOString()}::timestamptz + interval '999 microseconds')) as result`,
    z.int().nullable(),
  );
  if (balance === null) throw new Refusal('not-found');
  return balance;
}

/** Acts of one round; a round that finds more is followed by the next at once. */
export const sealedPerRoundMax = 20_000;

/** Seals what was committed since the last round. Answers how many acts, and whether more are waiting. */
export async function sealJournal(
  db: Db,
  limit = sealedPerRoundMax,
): Promise<{ sealed: number; more: boolean }> {
  return callFunction(
    db,
    sql`select ledger.seal(${limit}) as result`,
    z.object({ sealed: z.int(), more: z.boolean() }),
  );
}

/** What a checkpoint signs. */
export const ChainEnd = Checkpoint.pick({
  block: true,
  position: true,
  hash: true,
  trialBalance: true,
});
export type ChainEnd = z.infer<typeof ChainEnd>;

/** The end of the chain, when it has grown since the last checkpoint; else null. */
export async function checkpointDue(db: Db): Promise<ChainEnd | null> {
  return callFunction(db, sql`select ledger.checkpoint_due() as result`, ChainEnd.nullable());
}

/** Keeps a signed checkpoint; the first one of a block stays. */
export async function keepCheckpoint(
  db: Db,
  end: ChainEnd,
  signed: { signature: string; keyId: string },
): Promise<void> {
  await db.execute(
    sql`select ledger.checkpoint_signed(${JSON.stringify(end)}::jsonb, ${signed.signature}, ${signed.keyId})`,
  );
}

/** Checkpoints, newest first; those before `beforeBlock` when it is given. */
export async function listCheckpoints(
  db: Db,
  page: { beforeBlock?: number | undefined; limit: number },
): Promise<Checkpoint[]> {
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(jsonb_build_object(
        'block', c.block, 'position', c.position, 'hash', encode(c.hash, 'hex'),
        'trialBalance', c.trial_balance, 'signature', c.signature, 'keyId', c.key_id,
        'createdAt', instant(c.created_at)) order by c.block desc), '[]') as result
      from (select * from ledger.checkpoints
        where block < coalesce(${page.beforeBlock ?? null}::bigint, 9223372036854775807)
        order by block desc limit ${page.limit}) c`,
    Checkpoint.array(),
  );
}

const ChainLag = z.object({
  unsealedSeconds: z.int().nullable(),
  unsignedSeconds: z.int().nullable(),
  isLate: z.boolean(),
});
export type ChainLag = z.infer<typeof ChainLag>;

/** How long the oldest act has waited for its place in the chain, and the oldest block for a signature. */
export async function readChainLag(db: Db): Promise<ChainLag> {
  return callFunction(db, sql`select ledger.chain_lag() as result`, ChainLag);
}

/**
 * Those of some ends of the chain, kept elsewhere, that are not in it: a past that was rewritten, cut, or is that
 * of an older copy.
 */
export async function findForeignEnds<T extends Pick<ChainEnd, 'block' | 'position' | 'hash'>>(
  db: Db,
  ends: readonly T[],
): Promise<T[]> {
  const asked = ends.map(({ block, position, hash }, index) => ({ index, block, position, hash }));
  const foreign = await callFunction(
    db,
    sql`select coalesce(jsonb_agg(e.index), '[]') as result
      from jsonb_to_recordset(${JSON.stringify(asked)}::jsonb)
        as e (index integer, block bigint, position bigint, hash text)
      left join ledger.blocks b on b.number = e.block
      where (b.last_position, encode(b.hash, 'hex')) is distinct from (e.position, e.hash)`,
    z.array(z.int()),
  );
  return foreign.flatMap((index) => ends.slice(index, index + 1));
}

/** When something last happened in the books: an act, a block, a checkpoint; null where nothing ever did. */
export async function readLastMoment(db: Db): Promise<Date | null> {
  const at = await callFunction(
    db,
    sql`select to_jsonb(instant(greatest(
        (select created_at from ledger.journal order by id desc limit 1),
        (select sealed_at from ledger.blocks order by number desc limit 1),
        (select created_at from ledger.checkpoints order by block desc limit 1)))) as result`,
    Instant.nullable(),
  );
  return at === null ? null : new Date(at);
}
