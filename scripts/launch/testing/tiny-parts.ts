// Specifications of tiny parts, for tests of the supervisor.
import { guardedCommand, nodeCommand } from '../child.ts';
import type { PartSpec } from '../part.ts';

export interface TinyState {
  pid: number;
  grandchild: number;
}

/** What a tiny part says of itself; throws while it does not answer. */
export async function askTiny(port: number): Promise<TinyState> {
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  if (!answer.ok) throw new Error(`it says ${answer.status}`);
  return answer.json();
}

/** One of our own services. */
export function tinyPart(name: string, port: number, after: string[] = []): PartSpec {
  return {
    name,
    after,
    address: `127.0.0.1:${port}`,
    command: async () =>
      nodeCommand('scripts/launch/testing/tiny-part.ts', { TINY_PORT: String(port) }),
    probe: async () => void (await askTiny(port)),
  };
}

/** A foreign program that watches no pipe, under the guard. */
export function tinyForeignPart(name: string, port: number, after: string[] = []): PartSpec {
  const program = `require('node:http').createServer((q, r) => r.end(JSON.stringify({ pid: process.pid }))).listen(${port}, '127.0.0.1')`;
  return {
    name,
    after,
    address: `127.0.0.1:${port}`,
    command: async () =>
      guardedCommand({
        file: process.execPath,
        args: ['-e', program],
        cwd: '/',
        env: {},
        stopSignal: 'SIGTERM',
      }),
    probe: async () => void (await askTiny(port)),
  };
}
