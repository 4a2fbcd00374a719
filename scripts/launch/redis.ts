// The local Redis: a real redis-server on a private port, with a password and its data kept.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Guarded } from './guard.ts';

/** More than a local stack ever holds; what is beyond is refused rather than forgotten. */
const memoryMax = '256mb';

export interface RedisOptions {
  serverBin: string;
  dataDir: string;
  port: number;
  password: string;
  /** Nothing is written to disk, for tests. */
  disposable: boolean;
}

/** Writes its settings, and answers how to run it. */
export async function prepareRedis(options: RedisOptions): Promise<Guarded> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const file = join(options.dataDir, 'redis.conf');
  // In a file, because arguments of a program can be read by everybody on the machine.
  const settings = [
    'bind 127.0.0.1',
    `port ${options.port}`,
    `requirepass ${options.password}`,
    `dir "${options.dataDir}"`,
    `appendonly ${options.disposable ? 'no' : 'yes'}`,
    'save ""',
    `maxmemory ${memoryMax}`,
    'maxmemory-policy noeviction',
    'daemonize no',
  ];
  await writeFile(file, `${settings.join('\n')}\n`, { mode: 0o600 });
  return {
    file: options.serverBin,
    args: [file],
    cwd: options.dataDir,
    env: {},
    stopSignal: 'SIGTERM',
  };
}

/** Throws while the server does not answer. */
export async function pingRedis(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 1_000,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  redis.on('error', () => {
    // The command fails with it.
  });
  try {
    await redis.connect();
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}
