// The agenda: what banks do by themselves a little later, such as carrying out a refund or a payout.
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Pending } from './pending.ts';

/** The steps that an entity is still to take, one after the other. */
export const Move = z.object({
  kind: z.enum(['refund', 'validation', 'payout']),
  id: z.string(),
  steps: z.array(z.string()).min(1),
  delayMs: z.int(),
});
export type Move = z.infer<typeof Move>;

export interface Agenda {
  add(move: Move): void;
  /** What has not happened yet. */
  moves(): Move[];
  close(): void;
}

/** `take` takes one step of an entity; a step that has become impossible is its to ignore. */
export function createAgenda(options: {
  moves: Move[];
  take: (kind: Move['kind'], id: string, step: string) => void;
  pending: Pending;
  log: Logger;
}): Agenda {
  const { pending, log } = options;
  const waiting = new Map<NodeJS.Timeout, Move>();

  function add(move: Move): void {
    pending.begin();
    const timer = setTimeout(() => {
      waiting.delete(timer);
      const [step, ...steps] = move.steps;
      try {
        if (step !== undefined) options.take(move.kind, move.id, step);
        if (steps.length > 0) add({ ...move, steps });
      } catch (error) {
        log.error({ err: error, move }, 'a step of the agenda failed');
      }
      pending.end();
    }, move.delayMs);
    waiting.set(timer, move);
  }

  for (const move of options.moves) add(move);
  return {
    add,
    moves: () => [...waiting.values()],
    close() {
      for (const timer of waiting.keys()) clearTimeout(timer);
    },
  };
}
