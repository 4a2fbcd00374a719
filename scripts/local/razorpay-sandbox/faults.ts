// Faults that the sandbox commits on request: webhooks repeated, late, shuffled, lost or wrongly signed, answers late or cut.
import { z } from 'zod';

export const webhookCopiesMax = 10;
const webhookDelayMsMax = 120_000;
const answerDelayMsMax = 60_000;

const Faults = z.strictObject({
  webhooks: z.strictObject({
    /** How many times each event is delivered. */
    copies: z.int().min(1).max(webhookCopiesMax),
    /** Added to every delivery. */
    delayMs: z.int().min(0).max(webhookDelayMsMax),
    /** A random delay up to this much on top, so that deliveries overtake each other. */
    shuffleMs: z.int().min(0).max(webhookDelayMsMax),
    /** The share of deliveries that are lost for ever. */
    dropRate: z.number().min(0).max(1),
    /** Signs with this instead of the webhook secret: a wrong one, or the one before a rotation. */
    secret: z.string().min(1).max(200).nullable(),
  }),
  answers: z.strictObject({
    /** How late the REST API answers. */
    delayMs: z.int().min(0).max(answerDelayMsMax),
    /** The share of requests that are carried out, but whose connection is cut before the answer. */
    cutRate: z.number().min(0).max(1),
  }),
  /** Makes the random choices the same in every run. */
  seed: z.int().nonnegative().nullable(),
});
type Faults = z.infer<typeof Faults>;

/** What a request to change the faults may say; what it leaves out stays as it is. */
export const FaultsPatch = z.strictObject({
  webhooks: Faults.shape.webhooks.partial().optional(),
  answers: Faults.shape.answers.partial().optional(),
  seed: Faults.shape.seed.optional(),
});
export type FaultsPatch = z.infer<typeof FaultsPatch>;

const noFaults: Faults = {
  webhooks: { copies: 1, delayMs: 0, shuffleMs: 0, dropRate: 0, secret: null },
  answers: { delayMs: 0, cutRate: 0 },
  seed: null,
};

export interface FaultSwitch {
  readonly current: Faults;
  /** A number in [0, 1) for the next random choice. */
  chance(): number;
  change(patch: FaultsPatch): Faults;
  reset(): Faults;
}

/** Starts without any fault. */
export function createFaultSwitch(): FaultSwitch {
  let current = noFaults;
  let chance: () => number = Math.random;
  return {
    get current() {
      return current;
    },
    chance: () => chance(),
    change(patch) {
      current = Faults.parse({
        webhooks: { ...current.webhooks, ...patch.webhooks },
        answers: { ...current.answers, ...patch.answers },
        seed: patch.seed === undefined ? current.seed : patch.seed,
      });
      if (patch.seed !== undefined) chance = patch.seed === null ? Math.random : seeded(patch.seed);
      return current;
    },
    reset() {
      current = noFaults;
      chance = Math.random;
      return current;
    },
  };
}

/** The generator "mulberry32": small, and the same everywhere. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
