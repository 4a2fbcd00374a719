// Random acts of money: what people, staff, the gateway and the bank may do next.
import fc from 'fast-check';

export const viewersMax = 3;
export const performersMax = 2;

const viewer = fc.nat(viewersMax - 1);
const performer = fc.nat(performersMax - 1);
/** Which of those that there are. */
const which = fc.nat(1_000);
const percent = fc.integer({ min: 1, max: 100 });
const tokens = fc.integer({ min: 1, max: 180 });
const times = fc.integer({ min: 1, max: 3 });

/** What may happen at the same moment as anything else of these. */
const racer = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('buy'), viewer, package: fc.nat(2), times }),
  },
  {
    weight: 7,
    arbitrary: fc.record({ kind: fc.constant('tip'), viewer, performer, tokens, times }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('hold'), viewer, performer, tokens, times }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('end-hold'), which, percent: fc.nat(100) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('contribute'), viewer, which, tokens }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('ask-refund'), which, tokens, times }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('decide-refund'), which, yes: fc.boolean(), times }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('end-refund'), which, yes: fc.boolean(), times }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('gateway-refund'),
      which,
      percent,
      isDone: fc.boolean(),
      times,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('dispute'), which, percent, times }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('end-dispute'),
      which,
      end: fc.constantFrom('won' as const, 'lost' as const, 'closed' as const),
      times,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('turn-dispute'),
      which,
      end: fc.constantFrom('open' as const, 'won' as const, 'lost' as const),
      times,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('settle'),
      /** Which of what can be settled is. */
      which: fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
      early: fc.boolean(),
      off: fc.constantFrom(0, 0, 1, -100),
      strange: fc.constantFrom(0, 0, 700),
      times,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('explain-late') }) },
);
type Racer = typeof racer extends fc.Arbitrary<infer T> ? T : never;
export type RacerKind = Racer['kind'];

/** Several of them at once; mostly they are about the same thing. */
const race = fc
  .record({
    steps: fc.array(racer, { minLength: 2, maxLength: 4 }),
    about: fc.option(which, { freq: 3 }),
  })
  .map(({ steps, about }) => ({
    kind: 'race' as const,
    steps: steps.map((step) =>
      about !== null && 'which' in step && step.kind !== 'settle'
        ? { ...step, which: about }
        : step,
    ),
  }));

/** One step of a history. What it names is taken from what there is at that moment. */
export const act = fc.oneof(
  { weight: 45, arbitrary: racer },
  { weight: 15, arbitrary: race },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('tip-many'),
      tips: fc.array(fc.record({ viewer, performer, tokens }), { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('tip-race'), performer, tokens }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('expire-hold'), which }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('open-goal'), performer, tokens }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('close-goals'), which, late: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('grant'), viewer, tokens }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('expire-grant'), which }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('send-refunds') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('seal'), limit: fc.integer({ min: 1, max: 40 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('release') }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('ask-payout'),
      performer,
      percent: fc.integer({ min: 1, max: 130 }),
      times,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('decide-payout'), which, yes: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('send-payouts') }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('end-payout'),
      which,
      end: fc.constantFrom('paid' as const, 'failed' as const, 'reversed' as const),
      times,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('adjust'),
      performer,
      paise: fc.integer({ min: -2_000, max: 2_000 }),
    }),
  },
);
export type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;
export type ActOf<K extends Act['kind']> = Extract<Act, { kind: K }>;
