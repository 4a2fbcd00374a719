// `npm run ledger:verify`: proves the books, prints the trial balance, and exits 1 on any violation.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type Db, listCheckpoints, readTrialBalance, type Violation, verifyBooks } from '#db';
import { connectPostgres } from '#db/postgres';
import { createBookSeal } from '../../edge/services/book-seal.ts';
import { StartRefused, startOrRefuse } from '../local/environment.ts';
import { takeLock } from './lock.ts';
import { freePorts } from './ports.ts';
import { startPostgres, superuserUrl } from './postgres.ts';
import { clusterDir } from './postgres-home.ts';
import { loadSecrets } from './secrets.ts';
import { portsFile } from './stack.ts';
import { workDir } from './work-dir.ts';

interface Books {
  url: string;
  /** By which checkpoints were signed; null when nobody has named any. */
  ledgerKeys: string | null;
  close(): Promise<void>;
}

/** The database that is named, or that of the running stack, or the local one started for a moment. */
async function findBooks(dataDir: string): Promise<Books> {
  const named = process.env.DATABASE_OWNER_URL || process.env.DATABASE_URL;
  const ledgerKeys = process.env.LEDGER_KEYS || null;
  if (named) return { url: named, ledgerKeys, close: async () => {} };

  const clusterPath = join(dataDir, 'postgres');
  if (!existsSync(join(await clusterDir(clusterPath), 'PG_VERSION'))) {
    throw new StartRefused(`There are no books in ${dataDir} yet: npm start makes them.`);
  }
  const secrets = await loadSecrets(dataDir);
  const password = secrets.postgresPassword;
  const localKeys = JSON.stringify(secrets.ledgerKeys);
  const lock = await takeLock(join(dataDir, 'stack.lock'));
  if ('heldBy' in lock) {
    const ports = z
      .object({ postgres: z.int() })
      .parse(JSON.parse(await readFile(portsFile(dataDir), 'utf8')));
    return {
      url: superuserUrl({ port: ports.postgres, password }),
      ledgerKeys: localKeys,
      close: async () => {},
    };
  }
  const { postgres: port } = await freePorts();
  const server = await startPostgres({ dataDir: clusterPath, port, password });
  return {
    url: server.url,
    ledgerKeys: localKeys,
    async close() {
      await server.stop();
      await lock.release();
    },
  };
}

/** Reading every entry of years takes its time. */
const booksTimeoutMs = 30 * 60_000;

const help = `npm run ledger:verify [-- <data folder>]

Proves every invariant of the books, the chain that seals them and its signed checkpoints, and prints
the trial balance; exits 1 on any violation. The books are those of DATABASE_OWNER_URL or DATABASE_URL
(checkpoints are verified with the keys in LEDGER_KEYS), else those that npm start keeps.
`;

const checkpointsPageMax = 500;

/** Checkpoints whose signature is not good; how many there are. Null keys: nothing is verified. */
async function verifyCheckpoints(
  db: Db,
  ledgerKeys: string | null,
): Promise<{ count: number; newest: string; faults: Violation[] }> {
  const seal = ledgerKeys ? await createBookSeal(ledgerKeys) : null;
  const result = { count: 0, newest: '', faults: [] as Violation[] };
  let beforeBlock: number | undefined;
  for (;;) {
    const page = await listCheckpoints(db, { beforeBlock, limit: checkpointsPageMax });
    for (const checkpoint of page) {
      result.newest ||= checkpoint.createdAt;
      result.count += 1;
      const detail = seal ? await seal.faultOf(checkpoint) : null;
      if (detail !== null) {
        const subject = `block ${checkpoint.block}`;
        result.faults.push({ invariant: 'every checkpoint is signed by us', subject, detail });
      }
    }
    beforeBlock = page.at(-1)?.block;
    if (page.length < checkpointsPageMax) return result;
  }
}

function readArguments(): { dataDir: string; isHelpWanted: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h', default: false } },
    });
    return { dataDir: resolve(positionals[0] ?? workDir), isHelpWanted: values.help };
  } catch (error) {
    throw new StartRefused(`${error instanceof Error ? error.message : error}\n\n${help}`);
  }
}

await startOrRefuse(async () => {
  const { dataDir, isHelpWanted } = readArguments();
  if (isHelpWanted) {
    process.stdout.write(help);
    return;
  }
  const books = await findBooks(dataDir);
  const { db, close } = connectPostgres(books.url, {
    connectionsMax: 1,
    statementTimeoutMs: booksTimeoutMs,
  });
  try {
    const checkpoints = await verifyCheckpoints(db, books.ledgerKeys);
    const violations = [...(await verifyBooks(db)), ...checkpoints.faults];
    const rows = await readTrialBalance(db);
    const width = Math.max(13, ...rows.map((row) => row.accountClass.length));
    const line = (...[name, currency, debit, credit]: string[]) =>
      `${name?.padEnd(width)}  ${currency?.padEnd(8)}  ${debit?.padStart(16)}  ${credit?.padStart(16)}\n`;
    process.stdout.write(line('account class', 'currency', 'debit', 'credit'));
    for (const { accountClass, currency, debit, credit } of rows) {
      process.stdout.write(line(accountClass, currency, String(debit), String(credit)));
    }
    process.stdout.write(
      `\n${checkpoints.count} signed checkpoints${checkpoints.newest ? `, the newest of ${checkpoints.newest}` : ''}` +
        `${books.ledgerKeys ? '' : '; their signatures were not verified, for LEDGER_KEYS is not set'}.\n`,
    );
    for (const { invariant, subject, detail } of violations) {
      process.stdout.write(`\nviolated: ${invariant} ${subject ?? ''} ${detail ?? ''}`.trimEnd());
    }
    process.stdout.write(
      violations.length === 0
        ? '\nThe books balance, and every invariant holds.\n'
        : `\n\n${violations.length} violations.\n`,
    );
    if (violations.length > 0) process.exitCode = 1;
  } finally {
    await close();
    await books.close();
  }
});
