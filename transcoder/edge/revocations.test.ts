// Tests of what is known to be ended: nothing is believed before the first list, and nothing is missed.
import { expect, test } from 'vitest';
import { type Revocation, revocationsPageMax } from '#contract';
import { createRevocations, silenceMsMax } from './revocations.ts';

const revocation = (number: number, subject = `user-${number}`): Revocation => ({
  number,
  kind: 'user',
  subject,
  streamId: null,
});
const ticketOf = (subject: string, rev: number) => ({
  subject,
  rev,
  sessionId: null,
  streamId: null,
});

function setUp() {
  const clock = { ms: 0 };
  const ended: number[] = [];
  let gaps = 0;
  const revocations = createRevocations({
    nowMs: () => clock.ms,
    onRevoked: ({ number }) => ended.push(number),
    onGap: () => {
      gaps += 1;
    },
  });
  return { clock, ended, revocations, gaps: () => gaps };
}

test('nobody can tell before the first list is whole', () => {
  const { revocations, ended } = setUp();
  expect(revocations.doubt).not.toBeNull();
  revocations.redisIsAlive();
  revocations.hear(revocation(3));
  expect(revocations.known).toBeNull();
  expect(revocations.doubt).not.toBeNull();

  const page = Array.from({ length: revocationsPageMax }, (_, index) => revocation(index + 5));
  const last = revocationsPageMax + 4;
  expect(revocations.take({ revocations: page, revocationsKnown: last })).toBe(false);
  expect(revocations.doubt).not.toBeNull();
  // From there the next report goes on.
  expect(revocations.known).toBe(last);
  const rest = { revocations: [revocation(last + 1)], revocationsKnown: last + 1 };
  expect(revocations.take(rest)).toBe(true);
  expect(revocations.doubt).toBeNull();
  expect(revocations.known).toBe(last + 1);
  expect(ended).toHaveLength(revocationsPageMax + 2);
});

test('what came on Redis before the first answer counts', () => {
  const { revocations } = setUp();
  revocations.hear(revocation(8, 'somebody'));
  revocations.take({ revocations: [], revocationsKnown: 7 });
  expect(revocations.ends(ticketOf('somebody', 7))).toBe(true);
  expect(revocations.ends(ticketOf('somebody', 8))).toBe(false);
});

test('a gap is noticed, and filled by the next answer', () => {
  const { revocations, gaps } = setUp();
  revocations.take({ revocations: [], revocationsKnown: 10 });
  revocations.hear(revocation(11));
  expect(gaps()).toBe(0);
  revocations.hear(revocation(14));
  expect(gaps()).toBe(1);
  expect(revocations.known).toBe(11);
  const missed = [12, 13, 14].map((number) => revocation(number));
  revocations.take({ revocations: missed, revocationsKnown: 14 });
  expect(revocations.known).toBe(14);
  expect(revocations.ends(ticketOf('user-13', 11))).toBe(true);
  revocations.hear(revocation(15));
  expect(gaps()).toBe(1);
});

test('either Redis or the edge is enough, and long silence of both is not', () => {
  const { revocations, clock } = setUp();
  revocations.take({ revocations: [], revocationsKnown: 1 });
  for (let step = 0; step < 10; step++) {
    clock.ms += silenceMsMax - 1;
    revocations.redisIsAlive();
    expect(revocations.doubt).toBeNull();
  }
  clock.ms += silenceMsMax;
  expect(revocations.doubt).toBeNull();
  clock.ms += 1;
  expect(revocations.doubt).not.toBeNull();
  revocations.take({ revocations: [], revocationsKnown: 1 });
  expect(revocations.doubt).toBeNull();
});

test('Redis alone is not enough while some are known to be missing', () => {
  const { revocations, clock } = setUp();
  revocations.take({ revocations: [], revocationsKnown: 1 });
  revocations.hear(revocation(3));
  clock.ms += silenceMsMax + 1;
  revocations.redisIsAlive();
  expect(revocations.doubt).not.toBeNull();
});
