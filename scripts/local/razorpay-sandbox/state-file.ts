// The state file: orders, payments and undelivered webhooks, written soon after they change.
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { StartRefused } from '../environment.ts';
import { GatewayState } from './gateway.ts';
import { WebhookEvent } from './webhooks.ts';

/** How long changes are gathered before they are written. */
const writeDelayMs = 100;

export const SandboxState = z.object({
  version: z.literal(1),
  accountId: z.string(),
  gateway: GatewayState,
  events: z.array(WebhookEvent),
});
export type SandboxState = z.infer<typeof SandboxState>;

/**
 * Reads the state; null when there is none yet.
 * @throws StartRefused when it is broken
 */
export async function loadState(file: string): Promise<SandboxState | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    return SandboxState.parse(JSON.parse(text));
  } catch {
    throw new StartRefused(`${file} is broken: put it back, or remove it and forget its orders.`);
  }
}

export interface StateWriter {
  /** Something changed: write it soon. */
  touch(): void;
  /** Writes what is left. */
  close(): Promise<void>;
}

/** Writes whole states, each to a file beside it that then takes its place. */
export function createStateWriter(
  file: string | null,
  state: () => SandboxState,
  log: Logger,
): StateWriter {
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();

  function write(): void {
    timer = null;
    writing = writing.then(async () => {
      if (file === null) return;
      try {
        await writeFile(`${file}.new`, JSON.stringify(state()), { mode: 0o600 });
        await rename(`${file}.new`, file);
      } catch (error) {
        // Orders go on in memory; the next change tries again.
        log.error({ err: error }, 'the state could not be written');
      }
    });
  }
  return {
    touch() {
      if (file !== null) timer ??= setTimeout(write, writeDelayMs);
    },
    async close() {
      if (timer) {
        clearTimeout(timer);
        write();
      }
      await writing;
    },
  };
}
