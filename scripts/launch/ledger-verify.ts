// `npm run ledger:verify`: proves the books, prints the trial balance, and exits 1 on any violation.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readLastMoment } from '#db';
import { connectPostgres } from '#db/postgres';
import { createSealVerifier } from '../../edge/services/book-seal.ts';
import { StartRefused, startOrRefuse } from '../local/environment.ts';
import { checkBooks } from './book-check.ts';
import { takeLock } from './lock.ts';
import { freePorts } from './ports.ts';
import { startPostgres, superuserUrl } from './postgres.ts';
import { clusterDir } from './postgres-home.ts';
import { loadSecrets } from './secrets.ts';
import { portsFile } from './stack.ts';
import { workDir } from './work-dir.ts';

interface Books {
  url: string;
  /** By which checkpoints were signed. */
  ledgerKeys: string;
  /** Whether somebody seals and signs them: where nobody does, nothing comes late. */
  areKept: boolean;
  close(): Promise<void>;
}

/** The database that is named, or that of the running stack, or the local one started for a moment. */
async function findBooks(dataDir: string): Promise<Books> {
  const named = process.env.DATABASE_OWNER_URL || process.env.DATABASE_URL;
  const ledgerKeys = process.env.LEDGER_KEYS;
  if (named) {
    if (!ledgerKeys) {
      throw new StartRefused('Checkpoints are verified with the keys in LEDGER_KEYS: set them.');
    }
    return { url: named, ledgerKeys, areKept: true, close: async () => {} };
  }

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
      areKept: true,
      close: async () => {},
    };
  }
  const { postgres: port } = await freePorts();
  const server = await startPostgres({ dataDir: clusterPath, port, password });
  return {
    url: server.url,
    ledgerKeys: localKeys,
    areKept: false,
    async close() {
      await server.stop();
      await lock.release();
    },
  };
}

/** Of one statement: what is open in the books is read as a whole. */
const booksTimeoutMs = 30 * 60_000;

const help = `npm run ledger:verify [-- <data folder>] [--witness <file>]

Proves every invariant of the books from the first act on, the chain that seals them and its signed
checkpoints, and prints the trial balance; exits 1 on any violation. The books are those of
DATABASE_OWNER_URL or DATABASE_URL, whose checkpoints are verified with the keys in LEDGER_KEYS (their
public halves are enough), else those that npm start keeps.

--witness   checkpoints that were kept elsewhere, one a line: as the job runner logs them, or answers of
            /v1/ledger/checkpoints. Each must be signed by us and be in the chain, so that a past is found
            that was rewritten or cut, or that an older copy was restored.
`;

function readArguments(): { dataDir: string; witness: string | undefined; isHelpWanted: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        witness: { type: 'string' },
      },
    });
    return {
      dataDir: resolve(positionals[0] ?? workDir),
      witness: values.witness,
      isHelpWanted: values.help,
    };
  } catch (error) {
    throw new StartRefused(`${error instanceof Error ? error.message : error}\n\n${help}`);
  }
}

await startOrRefuse(async () => {
  const { dataDir, witness, isHelpWanted } = readArguments();
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
    const violations = await checkBooks(db, {
      seal: await createSealVerifier(books.ledgerKeys),
      witness,
      asOf: books.areKept ? null : await readLastMoment(db),
      print: (text) => process.stdout.write(text),
      tell: (text) => process.stderr.write(text),
    });
    if (violations > 0) process.exitCode = 1;
  } finally {
    await close();
    await books.close();
  }
});
