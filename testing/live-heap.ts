// How much a Node process really keeps: its heap after a collection, asked of its inspector (Chrome DevTools Protocol).
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { z } from 'zod';
import type { Command } from '../scripts/launch/child.ts';

const Targets = z.tuple([z.object({ webSocketDebuggerUrl: z.string() })]);
const Answer = z.object({ id: z.int(), result: z.object({ usedSize: z.number().optional() }) });

/** The same command with an inspector on a port of 127.0.0.1. */
export function inspected(command: Command, port: number): Command {
  return { ...command, args: [`--inspect=127.0.0.1:${port}`, ...command.args] };
}

/** In MiB, of the process whose inspector listens there. */
export async function liveHeapMiB(port: number): Promise<number> {
  const [target] = Targets.parse(await (await fetch(`http://127.0.0.1:${port}/json/list`)).json());
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await once(socket, 'open');
  try {
    const ask = async (id: number, method: string) => {
      socket.send(JSON.stringify({ id, method }));
      const [text] = await once(socket, 'message');
      return Answer.parse(JSON.parse(String(text))).result;
    };
    await ask(1, 'HeapProfiler.collectGarbage');
    const { usedSize = 0 } = await ask(2, 'Runtime.getHeapUsage');
    return usedSize / 2 ** 20;
  } finally {
    socket.close();
  }
}
