// One PostgreSQL and one Redis for the whole test run; each test file takes a database of its own.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrateDatabase } from '../db/migrate.ts';
import { freePort } from '../scripts/launch/free-port.ts';
import { startPostgres } from '../scripts/launch/postgres.ts';
import { startRedis } from './redis.ts';

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const provide = project.provide.bind(project) as (key: string, value: string) => void;
  const directory = await mkdtemp(join(tmpdir(), 'livepanty-test-'));
  await chmod(directory, 0o755);
  const [postgres, redis] = await Promise.all([
    startPostgres({
      dataDir: join(directory, 'postgres'),
      port: await freePort(),
      password: 'test',
      disposable: true,
    }),
    startRedis(),
  ]);
  // The database `livepanty` is the template that every test file copies; nobody may stay connected to it.
  await migrateDatabase({ url: postgres.url });
  const owner = new pg.Client({ connectionString: postgres.url });
  await owner.connect();
  await owner.query("create role livepanty_edge login password 'test' in role livepanty_app");
  await owner.end();
  const serverUrl = new URL(postgres.url);
  serverUrl.pathname = '/postgres';
  provide('postgresUrl', serverUrl.href);
  provide('redisUrl', redis.url);
  return async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
    await rm(directory, { recursive: true, force: true });
  };
}
