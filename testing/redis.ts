// A real redis-server for tests: its own port, nothing written to disk, gone with the test run.
import { tmpdir } from 'node:os';
import { guardedCommand, startChild } from '../scripts/launch/child.ts';
import { freePort } from '../scripts/launch/free-port.ts';

export interface RunningRedis {
  url: string;
  port: number;
  /** Kills it, as a crash would. */
  stop(): Promise<void>;
}

/** Starts redis-server and returns when it says that it takes connections. It ends with this process. */
export async function startRedis(port?: number): Promise<RunningRedis> {
  const chosen = port ?? (await freePort());
  const output: string[] = [];
  const ready = Promise.withResolvers<void>();
  const server = startChild(
    guardedCommand({
      file: process.env.REDIS_SERVER_BIN ?? 'redis-server',
      args: ['--port', String(chosen), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
      cwd: tmpdir(),
      env: {},
      stopSignal: 'SIGTERM',
    }),
    (line) => {
      output.push(line);
      if (/ready to accept connections/i.test(line)) ready.resolve();
    },
  );
  server.ended.then(() => ready.reject(new Error(`redis-server ended:\n${output.join('\n')}`)));
  await ready.promise;
  return {
    url: `redis://127.0.0.1:${chosen}`,
    port: chosen,
    async stop() {
      await server.kill();
    },
  };
}
