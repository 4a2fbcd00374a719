// Witnesses: checkpoints of the books that were kept elsewhere, against the books as they are.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { z } from 'zod';
import { Checkpoint } from '#contract';
import { type Db, findForeignEnds, type Violation } from '#db';
import type { SealVerifier, SignedEnd } from '../../edge/services/book-seal.ts';

/** A checkpoint as it is logged, or as it is read from `/v1/ledger/checkpoints`. */
const Kept = Checkpoint.pick({
  block: true,
  position: true,
  hash: true,
  signature: true,
  keyId: true,
});
const Answer = z.object({ checkpoints: z.array(z.unknown()) });
/** What a checkpoint has and no other line of a log. */
const Like = z.looseObject({ block: z.unknown(), hash: z.string(), signature: z.unknown() });

const batchMax = 500;

export interface Testimony {
  checkpoints: number;
  newestBlock: number;
  faults: Violation[];
}

/**
 * Reads a file of lines, of which each is a checkpoint, or an answer with many; other lines of a log are left out.
 * What is found of every one: that we signed it, and that it is in the chain.
 */
export async function hearWitness(db: Db, seal: SealVerifier, path: string): Promise<Testimony> {
  const testimony: Testimony = { checkpoints: 0, newestBlock: 0, faults: [] };
  let batch: SignedEnd[] = [];

  async function compare(): Promise<void> {
    for (const { block, hash } of await findForeignEnds(db, batch)) {
      testimony.faults.push({
        invariant: 'every checkpoint kept elsewhere is in the chain',
        subject: `block ${block}`,
        detail: `no such block ends there with the hash ${hash}`,
      });
    }
    batch = [];
  }

  let lineNumber = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    lineNumber += 1;
    for (const found of checkpointsOf(line)) {
      const kept = Kept.safeParse(found);
      const detail = kept.success
        ? await seal.faultOf(kept.data)
        : 'it is not written as a checkpoint is';
      if (detail !== null) {
        testimony.faults.push({
          invariant: 'every checkpoint kept elsewhere is signed by us',
          subject: `line ${lineNumber}`,
          detail,
        });
      }
      if (!kept.success) continue;
      testimony.checkpoints += 1;
      testimony.newestBlock = Math.max(testimony.newestBlock, kept.data.block);
      batch.push(kept.data);
      if (batch.length >= batchMax) await compare();
    }
  }
  await compare();
  return testimony;
}

function checkpointsOf(line: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Logs have lines of all kinds.
    return [];
  }
  const answer = Answer.safeParse(value);
  if (answer.success) return answer.data.checkpoints;
  return Like.safeParse(value).success ? [value] : [];
}
