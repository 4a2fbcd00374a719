// The command that runs the edge, on each of its runtimes.
import { createRequire } from 'node:module';
import { StartRefused } from '../local/environment.ts';
import { type Command, fromRoot, guardedCommand, nodeCommand } from './child.ts';
import type { EdgeRuntime } from './settings.ts';

const require = createRequire(import.meta.url);

/**
 * Room for what requests leave behind, in megabytes: with Node's usual 16, objects that are still under way are
 * carried into the old heap, and its collections are the longest waits that a caller sees.
 */
const youngHeapMb = 64;

/** A program of ours that answers many requests a second on Node. */
export function serverCommand(file: string, env: Record<string, string>): Command {
  const command = nodeCommand(file, env);
  return { ...command, args: [`--max-semi-space-size=${youngHeapMb}`, ...command.args] };
}

/** Runs the edge on `port`; `env` holds its configuration. */
export function edgeCommand(
  runtime: EdgeRuntime,
  port: number,
  env: Record<string, string>,
): Command {
  const own = { ...env, EDGE_PORT: String(port) };
  switch (runtime) {
    case 'workerd':
      return nodeCommand('scripts/launch/edge-in-workerd.ts', {
        EDGE_PORT: String(port),
        EDGE_BINDINGS: JSON.stringify(env),
      });
    case 'node':
      return serverCommand('edge/runtime/node.ts', own);
    case 'bun':
      return foreign('bun', [fromRoot('edge/runtime/bun.ts')]);
    case 'deno':
      return foreign('deno', [
        'run',
        '--allow-all',
        '--no-check',
        fromRoot('edge/runtime/deno.ts'),
      ]);
  }

  function foreign(name: 'bun' | 'deno', args: string[]): Command {
    const file = packagedBinary(name);
    const stopSignal = 'SIGTERM';
    return guardedCommand({ file, args, cwd: fromRoot('.'), env: {}, stopSignal }, own);
  }
}

/** The binary that an npm package brings in one of its packages by platform. */
function packagedBinary(name: 'bun' | 'deno'): string {
  const platform = `${process.platform}-${process.arch}`;
  const candidates = {
    // Where the package's own install step has run, the binary was moved.
    bun: [`@oven/bun-${platform}/bin/bun`, 'bun/bin/bun.exe'],
    deno: [`@deno/${platform}-glibc/deno`, `@deno/${platform}/deno`],
  };
  for (const candidate of candidates[name]) {
    try {
      return require.resolve(candidate);
    } catch {
      // Another name on this platform.
    }
  }
  throw new StartRefused(`The package ${name} has no program for ${platform}.`);
}
