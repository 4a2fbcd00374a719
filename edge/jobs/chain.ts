// The chain: seals acts behind their commit, and signs its end.
import { type ChainLag, checkpointDue, keepCheckpoint, readChainLag, sealJournal } from '#db';
import type { Deps } from '../deps.ts';

/** One round: until nothing is left. Answers how many acts it sealed. */
export async function sealBooks(deps: Deps): Promise<{ sealed: number }> {
  let sealed = 0;
  for (;;) {
    const round = await sealJournal(deps.db);
    deps.failpoint('chain.sealed');
    sealed += round.sealed;
    if (!round.more) return { sealed };
  }
}

/** One round. The checkpoint goes into the log as well: a witness outside of the database. */
export async function signCheckpoint(deps: Deps): Promise<{ block: number | null }> {
  const end = await checkpointDue(deps.db);
  deps.failpoint('checkpoint.read');
  if (!end) return { block: null };
  const signed = await deps.books.sign(end);
  deps.failpoint('checkpoint.signed');
  await keepCheckpoint(deps.db, end, signed);
  deps.failpoint('checkpoint.kept');
  deps.log.info('checkpoint of the books', {
    block: end.block,
    position: end.position,
    hash: end.hash,
    ...signed,
  });
  return { block: end.block };
}

/** One round. Says loudly when acts wait too long for their place in the chain, or the chain for a signature. */
export async function watchChain(deps: Pick<Deps, 'db' | 'log'>): Promise<ChainLag> {
  const lag = await readChainLag(deps.db);
  if (lag.isLate) deps.log.error('the chain of the books stands still', { ...lag });
  return lag;
}

export async function signAndWatch(deps: Deps): Promise<{ block: number | null } & ChainLag> {
  return { ...(await signCheckpoint(deps)), ...(await watchChain(deps)) };
}
