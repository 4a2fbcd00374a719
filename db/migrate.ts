// Migrations: brings a database to the present schema and functions; safe to run at every start.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';

/** One number for all migrators of one database, so that two do not run at once. */
const migrationLock = 7_240_031;

const folderOf = (name: string) => fileURLToPath(new URL(`./${name}/`, import.meta.url));

/** Runs what has not run yet. `url` must belong to the owner of the schema. */
export async function migrateDatabase(options: { url: string }): Promise<void> {
  const client = new pg.Client({ connectionString: options.url });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    await migrate(drizzle({ client }), { migrationsFolder: folderOf('migrations') });
    await defineFunctions(client);
  } finally {
    await client.end();
  }
}

/**
 * Tables change by migrations that run once; functions are defined anew, all in one transaction,
 * whenever their text has changed, so that each stands in one file as it is now.
 */
async function defineFunctions(client: pg.Client): Promise<void> {
  const folder = folderOf('functions');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const texts = await Promise.all(names.map((name) => readFile(folder + name, 'utf8')));
  const hash = createHash('sha256').update(JSON.stringify(texts)).digest('hex');
  await client.query('create table if not exists drizzle.functions (hash text not null)');
  const { rows } = await client.query('select from drizzle.functions where hash = $1', [hash]);
  if (rows.length > 0) return;
  await client.query('begin');
  // They may name each other in any order.
  await client.query('set local check_function_bodies = off');
  try {
    for (const text of texts) await client.query(text);
    await client.query('delete from drizzle.functions');
    await client.query('insert into drizzle.functions (hash) values ($1)', [hash]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
