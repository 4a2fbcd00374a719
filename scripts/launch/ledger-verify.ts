// `npm run ledger:verify`: proves the books, prints the trial balance, and exits 1 on any violation.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readTrialBalance, verifyBooks } from '#db';
import { connectPostgres } from '#db/postgres';
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
  close(): Promise<void>;
}

/** The database that is named, or that of the running stack, or the local one started for a moment. */
async function findBooks(dataDir: string): Promise<Books> {
  const named = process.env.DATABASE_OWNER_URL || process.env.DATABASE_URL;
  if (named) return { url: named, close: async () => {} };

  const clusterPath = join(dataDir, 'postgres');
  if (!existsSync(join(await clusterDir(clusterPath), 'PG_VERSION'))) {
    throw new StartRefused(`There are no books in ${dataDir} yet: npm start makes them.`);
  }
  const { postgresPassword: password } = await loadSecrets(dataDir);
  const lock = await takeLock(join(dataDir, 'stack.lock'));
  if ('heldBy' in lock) {
    const ports = z
      .object({ postgres: z.int() })
      .parse(JSON.parse(await readFile(portsFile(dataDir), 'utf8')));
    return { url: superuserUrl({ port: ports.postgres, password }), close: async () => {} };
  }
  const { postgres: port } = await freePorts();
  const server = await startPostgres({ dataDir: clusterPath, port, password });
  return {
    url: server.url,
    async close() {
      await server.stop();
      await lock.release();
    },
  };
}

/** Reading every entry of years takes its time. */
const booksTimeoutMs = 30 * 60_000;

const help = `npm run ledger:verify [-- <data folder>]

Proves every invariant of the books and prints the trial balance; exits 1 on any violation.
The books are those of DATABASE_OWNER_URL or DATABASE_URL, else those that npm start keeps.
`;

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
    const violations = await verifyBooks(db);
    const rows = await readTrialBalance(db);
    const width = Math.max(13, ...rows.map((row) => row.accountClass.length));
    const line = (...[name, currency, debit, credit]: string[]) =>
      `${name?.padEnd(width)}  ${currency?.padEnd(8)}  ${debit?.padStart(16)}  ${credit?.padStart(16)}\n`;
    process.stdout.write(line('account class', 'currency', 'debit', 'credit'));
    for (const { accountClass, currency, debit, credit } of rows) {
      process.stdout.write(line(accountClass, currency, String(debit), String(credit)));
    }
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
