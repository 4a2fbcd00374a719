// Finds redis-server.

import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fromEnvironment, isExecutable, onPath } from './executable.mjs';
import { cacheDir } from './places.mjs';
import { SetupError } from './setup-error.mjs';

const link = join(cacheDir, 'redis', 'redis-server');

/**
 * Debian's package "redis-server" would also start a service on the default port. The program itself
 * is in "redis-tools" under another name of it: Redis looks at the name it is called by.
 * @returns {import('./found.mjs').Found}
 */
export function findRedisServer() {
  const path = fromEnvironment('REDIS_SERVER_BIN') ?? onPath('redis-server', 'valkey-server');
  if (path) return { path };
  if (isExecutable(link)) return { path: link };
  return { packages: onPath('redis-check-rdb') ? [] : ['redis-tools'], make: async () => make() };
}

/** @returns {string} */
function make() {
  const server = onPath('redis-server');
  if (server) return server;
  const program = onPath('redis-check-rdb');
  if (!program) throw new SetupError('redis-server is not here: set REDIS_SERVER_BIN to its path.');
  mkdirSync(join(cacheDir, 'redis'), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(program, link);
  return link;
}
