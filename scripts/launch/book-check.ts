// The check of the books: everything that is proven of them, and what is said of it.
import { existsSync } from 'node:fs';
import {
  type AuditProgress,
  type Db,
  listCheckpoints,
  readTrialBalance,
  type Violation,
  verifyBooks,
} from '#db';
import type { SealVerifier } from '../../edge/services/book-seal.ts';
import { StartRefused } from '../local/environment.ts';
import { hearWitness, type Testimony } from './witness.ts';

interface CheckOptions {
  seal: SealVerifier;
  /** A file of checkpoints that were kept elsewhere. */
  witness: string | undefined;
  /** Until when somebody could have sealed and signed; null: until now. */
  asOf: Date | null;
  print: (text: string) => void;
  /** Says now and then how far it is. */
  tell: (text: string) => void;
  /** For tests. */
  tellEveryMs?: number;
}

/**
 * Proves the books, their checkpoints and a witness, prints the trial balance and every violation, and answers how
 * many there are. Refuses a witness that is not there or has nothing to say.
 */
export async function checkBooks(db: Db, options: CheckOptions): Promise<number> {
  const { seal, witness, asOf, print } = options;
  const progress = createProgress(options);
  const testimony = await hear(db, seal, witness);
  const checkpoints = await verifyCheckpoints(db, seal, progress);
  const violations = [
    ...(await verifyBooks(db, {
      asOf: asOf ?? undefined,
      onProgress: (how) => progress(() => describe(how)),
    })),
    ...checkpoints.faults,
    ...(testimony?.faults ?? []),
  ];
  printBalance(await readTrialBalance(db), print);
  const newest = checkpoints.newest ? `, the newest of ${checkpoints.newest}` : '';
  print(`\n${checkpoints.count} signed checkpoints${newest}.\n`);
  if (testimony) {
    print(
      `${testimony.checkpoints} checkpoints that were kept elsewhere, up to block ${testimony.newestBlock}.\n`,
    );
  }
  for (const { invariant, subject, detail } of violations) {
    print(`\nviolated: ${invariant} ${subject ?? ''} ${detail ?? ''}`.trimEnd());
  }
  print(
    violations.length === 0
      ? '\nThe books balance, and every invariant holds.\n'
      : `\n\n${violations.length} violations.\n`,
  );
  return violations.length;
}

const checkpointsPageMax = 500;
/** How often something is said of long work. */
const progressMs = 5_000;

/** Says how far long work is, now and then. */
function createProgress({
  tell,
  tellEveryMs = progressMs,
}: CheckOptions): (text: () => string) => void {
  let saidAt = Date.now();
  return (text) => {
    if (Date.now() - saidAt < tellEveryMs) return;
    saidAt = Date.now();
    tell(`${text()}\n`);
  };
}

const count = new Intl.NumberFormat('en');

function describe({ phase, cursor, position, end }: AuditProgress): string {
  switch (phase) {
    case 'rows': {
      // Ids begin with their moment.
      const at = new Date(Number.parseInt(cursor.slice(0, 8) + cursor.slice(9, 13), 16));
      return `rows up to ${at.toISOString()}`;
    }
    case 'acts':
      return `${count.format(position)} of ${count.format(end)} acts`;
    default:
      return `all acts, and now ${phase === 'released' ? 'earnings' : phase}`;
  }
}

/** Checkpoints whose signature is not good; how many there are. */
async function verifyCheckpoints(
  db: Db,
  seal: SealVerifier,
  progress: ReturnType<typeof createProgress>,
): Promise<{ count: number; newest: string; faults: Violation[] }> {
  const result = { count: 0, newest: '', faults: [] as Violation[] };
  let beforeBlock: number | undefined;
  for (;;) {
    const page = await listCheckpoints(db, { beforeBlock, limit: checkpointsPageMax });
    for (const checkpoint of page) {
      result.newest ||= checkpoint.createdAt;
      result.count += 1;
      const detail = await seal.faultOf(checkpoint);
      if (detail !== null) {
        const subject = `block ${checkpoint.block}`;
        result.faults.push({ invariant: 'every checkpoint is signed by us', subject, detail });
      }
    }
    beforeBlock = page.at(-1)?.block;
    progress(() => `checkpoints down to block ${beforeBlock}`);
    if (page.length < checkpointsPageMax) return result;
  }
}

/** Null without a witness. One that has nothing to say is a mistake of whoever names it. */
async function hear(
  db: Db,
  seal: SealVerifier,
  path: string | undefined,
): Promise<Testimony | null> {
  if (path === undefined) return null;
  if (!existsSync(path)) throw new StartRefused(`There is no file ${path}.`);
  const testimony = await hearWitness(db, seal, path);
  if (testimony.checkpoints === 0 && testimony.faults.length === 0) {
    throw new StartRefused(`There is no checkpoint in ${path}.`);
  }
  return testimony;
}

function printBalance(
  rows: Awaited<ReturnType<typeof readTrialBalance>>,
  print: (text: string) => void,
): void {
  const width = Math.max(13, ...rows.map((row) => row.accountClass.length));
  const line = (...[name, currency, debit, credit]: string[]) =>
    `${name?.padEnd(width)}  ${currency?.padEnd(8)}  ${debit?.padStart(16)}  ${credit?.padStart(16)}\n`;
  print(line('account class', 'currency', 'debit', 'credit'));
  for (const { accountClass, currency, debit, credit } of rows) {
    print(line(accountClass, currency, String(debit), String(credit)));
  }
}
