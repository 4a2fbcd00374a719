// The embedded PostgreSQL on what crashes leave behind.
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from './free-port.ts';
import { type PostgresOptions, startPostgres } from './postgres.ts';
import { mendPidFile, serverOwner } from './postgres-home.ts';

let folder: string;
let options: PostgresOptions;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'livepanty-postgres-'));
  // The user that the server runs as must be able to walk through.
  await chmod(folder, 0o755);
  const dataDir = join(folder, 'postgres');
  options = { dataDir, port: await freePort(), password: 'test', disposable: true };
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('an initialisation that was broken off is made anew', async () => {
  await mkdir(`${options.dataDir}.new/base`, { recursive: true });
  await writeFile(`${options.dataDir}.new.password`, 'of the one before');
  await (await startPostgres(options)).stop();
  await expect(readFile(`${options.dataDir}.new.password`)).rejects.toThrow('ENOENT');
});

test('a crashed server whose process id is another program by now starts again', async () => {
  const other = spawn('sleep', ['60'], { ...(await serverOwner()), cwd: '/', stdio: 'ignore' });
  const left = [other.pid, options.dataDir, 1_700_000_000, options.port, '', '127.0.0.1'];
  await writeFile(join(options.dataDir, 'postmaster.pid'), left.join('\n'));
  await (await startPostgres(options)).stop();
  other.kill();
});

test('a server that still works on the cluster is named, and never joined by another', async () => {
  const first = await startPostgres(options);
  const file = join(options.dataDir, 'postmaster.pid');
  const pid = (await readFile(file, 'utf8')).split('\n')[0];
  await expect(mendPidFile(options.dataDir, 200)).rejects.toThrow(
    `A PostgreSQL of an earlier run (process ${pid}) still works on ${options.dataDir}`,
  );
  expect((await readFile(file, 'utf8')).split('\n')[0]).toBe(pid);
  await first.stop();
});
