// The faults that the sandbox commits on request: in webhooks, in answers, and in what banks do.
import { z } from 'zod';
import { EventName } from './event.ts';

export const webhookCopiesMax = 10;
const webhookDelayMsMax = 120_000;
const answerDelayMsMax = 60_000;
const outcomeDelayMsMax = 120_000;
const answerRulesMax = 20;

const Rate = z.number().min(0).max(1);

/** A fault of some answers. */
const AnswerRule = z.strictObject({
  /**
   * What goes wrong, before the request is carried out or after: the connection is cut, an error is
   * answered, or no answer ever comes. `late` is only as late as `delayMs` says.
   */
  fault: z.enum(['cut-before', 'cut-after', 'error-before', 'error-after', 'hang', 'late']),
  /** How long the request waits before it is carried out, whether its client is still there or not. */
  delayMs: z.int().min(0).max(answerDelayMsMax).default(0),
  /** The share of the requests that it hits. */
  rate: Rate.default(1),
  /** Hits only paths that contain this, such as `/v1/payouts`. */
  path: z.string().max(200).nullable().default(null),
  method: z.enum(['GET', 'POST', 'PATCH']).nullable().default(null),
  /** How often it hits before it is over; null: for ever. */
  times: z.int().min(1).nullable().default(null),
  /** The status of an error. */
  status: z.literal([409, 429, 500, 502, 503, 504]).default(502),
});
export type AnswerRule = z.infer<typeof AnswerRule>;

const Faults = z.strictObject({
  webhooks: z.strictObject({
    /** `manual`: nothing is delivered by itself. */
    mode: z.enum(['auto', 'manual']),
    /** The events that these faults apply to; null: all. */
    events: z.array(EventName).nullable(),
    /** How many times each event is delivered. */
    copies: z.int().min(1).max(webhookCopiesMax),
    /** Up to this many more, at random. */
    extraCopies: z.int().min(0).max(webhookCopiesMax),
    /** Added to every delivery. */
    delayMs: z.int().min(0).max(webhookDelayMsMax),
    /** A random delay up to this much on top, so that deliveries overtake each other. */
    shuffleMs: z.int().min(0).max(webhookDelayMsMax),
    /** The share of deliveries that are lost for ever. */
    dropRate: Rate,
    /** Signs with this instead of the webhook secret: a wrong one, or the one before a rotation. */
    secret: z.string().min(1).max(200).nullable(),
  }),
  answers: z.strictObject({
    /** How late the REST API answers. */
    delayMs: z.int().min(0).max(answerDelayMsMax),
    /** The share of requests that are carried out, but whose connection is cut before the answer. */
    cutRate: Rate,
    /** The first rule that hits is applied. */
    rules: z.array(AnswerRule).max(answerRulesMax),
  }),
  payouts: z.strictObject({
    /** How long the bank takes. */
    delayMs: z.int().min(0).max(outcomeDelayMsMax),
    /** The share that waits for an approval first. */
    approvalRate: Rate,
    failRate: Rate,
    /** The share that is processed, and reversed afterwards. */
    reverseRate: Rate,
    /** The share that stays in processing until a control moves it. */
    holdRate: Rate,
  }),
  refunds: z.strictObject({
    delayMs: z.int().min(0).max(outcomeDelayMsMax),
    failRate: Rate,
    holdRate: Rate,
  }),
  validations: z.strictObject({
    delayMs: z.int().min(0).max(outcomeDelayMsMax),
    /** The share that fails for technical reasons. */
    failRate: Rate,
    /** The share that finds no such account. */
    invalidRate: Rate,
    holdRate: Rate,
    /** The bank knows the account by this name; null: by the one that was given. */
    registeredName: z.string().max(120).nullable(),
  }),
  /** Makes the random choices the same in every run. */
  seed: z.int().nonnegative().nullable(),
});
export type Faults = z.infer<typeof Faults>;

/** What a request to change the faults may say; what it leaves out stays as it is. */
export const FaultsPatch = z.strictObject({
  webhooks: Faults.shape.webhooks.partial().optional(),
  answers: Faults.shape.answers.partial().optional(),
  payouts: Faults.shape.payouts.partial().optional(),
  refunds: Faults.shape.refunds.partial().optional(),
  validations: Faults.shape.validations.partial().optional(),
  seed: Faults.shape.seed.optional(),
});
export type FaultsPatch = z.input<typeof FaultsPatch>;

const noFaults: Faults = {
  webhooks: {
    mode: 'auto',
    events: null,
    copies: 1,
    extraCopies: 0,
    delayMs: 0,
    shuffleMs: 0,
    dropRate: 0,
    secret: null,
  },
  answers: { delayMs: 0, cutRate: 0, rules: [] },
  payouts: { delayMs: 0, approvalRate: 0, failRate: 0, reverseRate: 0, holdRate: 0 },
  refunds: { delayMs: 0, failRate: 0, holdRate: 0 },
  validations: { delayMs: 0, failRate: 0, invalidRate: 0, holdRate: 0, registeredName: null },
  seed: null,
};

export interface FaultSwitch {
  readonly current: Faults;
  /** The faults that webhooks of this name are to suffer. */
  webhooksOf(event: string): Faults['webhooks'];
  /** The rule that this request falls under, if any; it counts as a hit. */
  answerRule(method: string, path: string): AnswerRule | null;
  /** A number in [0, 1) for the next random choice. */
  chance(): number;
  /** Draws one of these by their shares; null when none is drawn. */
  draw<T extends string>(shares: Record<T, number>): T | null;
  change(patch: FaultsPatch): Faults;
  reset(): Faults;
}

/** Starts without any fault. */
export function createFaultSwitch(): FaultSwitch {
  let current = noFaults;
  let chance: () => number = Math.random;
  /** How often each rule has hit, by its place in the list. */
  let hits: number[] = [];

  function isHitBy(rule: AnswerRule, place: number, method: string, path: string): boolean {
    if (rule.method !== null && rule.method !== method) return false;
    if (rule.path !== null && !path.includes(rule.path)) return false;
    if (rule.times !== null && (hits[place] ?? 0) >= rule.times) return false;
    return chance() < rule.rate;
  }

  return {
    get current() {
      return current;
    },
    webhooksOf(event) {
      const { webhooks } = current;
      const named = webhooks.events === null || webhooks.events.some((name) => name === event);
      return named ? webhooks : noFaults.webhooks;
    },
    answerRule(method, path) {
      const { rules } = current.answers;
      const place = rules.findIndex((rule, at) => isHitBy(rule, at, method, path));
      if (place >= 0) hits[place] = (hits[place] ?? 0) + 1;
      return rules[place] ?? null;
    },
    chance: () => chance(),
    draw(shares) {
      let left = chance();
      for (const name in shares) {
        if (left < shares[name]) return name;
        left -= shares[name];
      }
      return null;
    },
    change(patch) {
      current = Faults.parse({
        webhooks: { ...current.webhooks, ...patch.webhooks },
        answers: { ...current.answers, ...patch.answers },
        payouts: { ...current.payouts, ...patch.payouts },
        refunds: { ...current.refunds, ...patch.refunds },
        validations: { ...current.validations, ...patch.validations },
        seed: patch.seed === undefined ? current.seed : patch.seed,
      });
      if (patch.answers?.rules) hits = [];
      if (patch.seed !== undefined) chance = patch.seed === null ? Math.random : seeded(patch.seed);
      return current;
    },
    reset() {
      current = noFaults;
      chance = Math.random;
      hits = [];
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
