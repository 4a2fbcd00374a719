// Migrations: brings a database to the present schema; safe to run at every start.
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';

/** One number for all migrators of one database, so that two do not run at once. */
const migrationLock = 7_240_031;

/** Runs what has not run yet. `url` must belong to the owner of the schema. */
export async function migrateDatabase(options: { url: string }): Promise<void> {
  const client = new pg.Client({ connectionString: options.url });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    await migrate(drizzle({ client }), {
      migrationsFolder: fileURLToPath(new URL('./migrations', import.meta.url)),
    });
  } finally {
    await client.end();
  }
}
