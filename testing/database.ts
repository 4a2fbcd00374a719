// A database of one's own for a test file: migrated, seeded with reference data, with the services' rights.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { connectPostgres, type PooledDb } from '../db/postgres.ts';
import { postgresUrl } from './services.ts';

/** With the rights of the services, and with the owner's for what a test must do behind the product's back. */
export interface OwnedDatabase extends PooledDb {
  /** Connection string with the rights of the services. */
  url: string;
  /** Connection string of the owner. */
  ownerUrl: string;
  /** Runs SQL as the owner. */
  asOwner<T extends pg.QueryResultRow>(statement: string, values?: unknown[]): Promise<T[]>;
}

export interface TestDatabase extends OwnedDatabase {
  name: string;
}

/** Connects to a database that is there. */
export function connectOwned(url: string, ownerUrl: string): OwnedDatabase {
  const owner = new pg.Pool({ connectionString: ownerUrl, max: 2 });
  const app = connectPostgres(url);
  return {
    ...app,
    url,
    ownerUrl,
    async asOwner(statement, values = []) {
      return (await owner.query(statement, values)).rows;
    },
    async close() {
      await Promise.all([app.close(), owner.end()]);
    },
  };
}

/** Copies the migrated template, or another database that nobody is connected to, into a new one. */
export async function createTestDatabase(template = 'livepanty'): Promise<TestDatabase> {
  const serverUrl = postgresUrl();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const server = new pg.Client({ connectionString: serverUrl });
  await server.connect();
  await server.query(`create database ${name} template ${template}`);
  await server.end();

  const ownerUrl = withDatabase(serverUrl, name);
  const appUrl = new URL(ownerUrl);
  appUrl.username = 'livepanty_edge';
  appUrl.password = 'test';
  return { ...connectOwned(appUrl.href, ownerUrl), name };
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
