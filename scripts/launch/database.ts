// The database on the way up: migrations, the role of the services, demo accounts.
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { z } from 'zod';
import { migrateDatabase } from '#db/migrate';
import { connectPostgres, statementTimeoutMs } from '#db/postgres';
import { type DemoAccount, seedDemo } from '#db/seed';
import { loadArgon2Modules } from '../../edge/runtime/argon2-files.ts';
import { createPasswordHasher, type PasswordHasher } from '../../edge/services/passwords.ts';
import { contextOf } from '../../edge/services/second-factor.ts';
import { newTotpSecret } from '../../edge/services/totp.ts';
import { createVault } from '../../edge/services/vault.ts';
import type { Secrets } from './secrets.ts';

/** The role that the edge and the job runner log in as: it may do what `livepanty_app` may. */
const edgeRole = 'livepanty_edge';

/** Connection string of the services' role for the same database. */
export function edgeDatabaseUrl(ownerUrl: string, password: string): string {
  const url = new URL(ownerUrl);
  url.username = edgeRole;
  url.password = password;
  return url.href;
}

/** Brings a local database to the present schema and makes the services' role. */
export async function prepareLocalDatabase(ownerUrl: string, edgePassword: string): Promise<void> {
  await migrateDatabase({ url: ownerUrl });
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_roles where rolname = $1', [edgeRole]);
    if (found.rowCount === 0) {
      const password = client.escapeLiteral(edgePassword);
      await client.query(
        `create role ${edgeRole} login password ${password} in role livepanty_app`,
      );
    }
    // Also where no client sets it, as over HTTP: the replay of events counts on it.
    await client.query(`alter role ${edgeRole} set statement_timeout = ${statementTimeoutMs}`);
  } finally {
    await client.end();
  }
}

const Accounts = z.array(
  z.object({
    email: z.string(),
    username: z.string(),
    password: z.string(),
    role: z.string(),
    authenticatorSecret: z.string().optional(),
  }),
);

export interface DemoAccounts {
  /** Null when they had been made at an earlier start. */
  made: DemoAccount[] | null;
  /** Where their passwords can be read again. */
  file: string;
}

/** Adds the demo accounts to a local database, once. */
export async function makeDemoAccounts(
  ownerUrl: string,
  dataDir: string,
  secrets: Pick<Secrets, 'dataKeys' | 'hashKey'>,
): Promise<DemoAccounts> {
  const file = join(dataDir, 'demo-accounts.json');
  const { db, close } = connectPostgres(ownerUrl, { connectionsMax: 1 });
  try {
    // Only made when there is somebody to add: it takes a moment.
    let hasher: Promise<PasswordHasher> | undefined;
    const made = await seedDemo(db, {
      environment: 'development',
      hashPassword: async (password) => {
        hasher ??= loadArgon2Modules().then(createPasswordHasher);
        return (await hasher).hash(password);
      },
      newAuthenticator: async (userId) => {
        const vault = await createVault(JSON.stringify(secrets.dataKeys), secrets.hashKey);
        const secret = newTotpSecret();
        return { secret, sealedSecret: await vault.seal(secret, contextOf(userId)) };
      },
    });
    if (made) {
      await writeFile(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
      await chmod(file, 0o600);
    }
    return { made, file };
  } finally {
    await close();
  }
}

/** The demo accounts of a data folder, as they were made at its first start. */
export async function readDemoAccounts(dataDir: string): Promise<z.infer<typeof Accounts>> {
  return Accounts.parse(JSON.parse(await readFile(join(dataDir, 'demo-accounts.json'), 'utf8')));
}
