// Tests of the ticket gate: it keeps out what was ended, and whoever it cannot judge.
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { type Revocation, ticketTypes } from '#contract';
import { createRevocations, silenceMsMax } from '../edge/revocations.ts';
import { until } from '../testing/bench.ts';
import { type FakeEdge, startFakeEdge } from '../testing/fake-edge.ts';
import { Refusal } from './refusal.ts';
import { createTicketGate, jwksAgeMsMax, jwksRefreshMs, type TicketGate } from './ticket-gate.ts';

const streamId = crypto.randomUUID();
const clock = { ms: 0 };
let edge: FakeEdge;

beforeEach(async () => {
  clock.ms = 0;
  edge = await startFakeEdge();
});
afterEach(async () => {
  vi.useRealTimers();
  await edge.close();
});

function setUp() {
  const revocations = createRevocations({
    nowMs: () => clock.ms,
    onRevoked: (revocation) => gate.end(revocation),
    onGap: () => {},
  });
  const gate = createTicketGate({ edgeUrl: edge.url, revocations });
  onTestFinished(() => gate.close());
  const report = () => revocations.take({ revocations: [], revocationsKnown: 0 });
  return { gate, revocations, report };
}

/** What the gate says to a ticket. */
async function told(gate: TicketGate, ticket: string): Promise<string> {
  try {
    await gate.admit(ticket, streamId);
    return 'in';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

const ban = (subject: string): Revocation => edge.revoke({ kind: 'user', subject, streamId: null });

test('a ticket of another type is refused', async () => {
  const { gate, report } = setUp();
  report();
  expect(await told(gate, await edge.ticket(streamId))).toBe('in');
  for (const type of [ticketTypes.room, ticketTypes.node, 'at+jwt', 'JWT']) {
    expect(await told(gate, await edge.ticket(streamId, { type }))).toBe('unauthenticated');
  }
});

test('nobody enters before the first list, and everybody as soon as it is there', async () => {
  const { gate, report } = setUp();
  const ticket = await edge.ticket(streamId);
  expect(await told(gate, ticket)).toBe('unavailable');
  report();
  expect(await told(gate, ticket)).toBe('in');
});

test('a ticket is ended for those who are in, and for those who come again', async () => {
  const { gate, report, revocations } = setUp();
  report();
  const ticket = await edge.ticket(streamId, { subject: 'banned' });
  const later = await edge.ticket(streamId, { subject: 'banned', rev: 2_000_000 });
  const [admission, besides] = await Promise.all([
    gate.admit(ticket, streamId),
    gate.admit(ticket, streamId),
  ]);
  revocations.hear(ban('banned'));
  expect([admission.ended, besides.ended]).toEqual([true, true]);
  expect(() => admission.confirm()).toThrow(Refusal);
  expect(await told(gate, ticket)).toBe('unauthenticated');
  // It was never shown before, and was signed before as well.
  const unseen = await edge.ticket(streamId, { subject: 'banned', rev: 0 });
  expect(await told(gate, unseen)).toBe('unauthenticated');
  expect(await told(gate, later)).toBe('in');
  expect(await told(gate, await edge.ticket(streamId, { subject: 'other', rev: 0 }))).toBe('in');
});

test('an outage of the edge alone refuses nobody who is in; silence of all does', async () => {
  const { gate, report, revocations } = setUp();
  report();
  const ticket = await edge.ticket(streamId);
  expect(await told(gate, ticket)).toBe('in');
  edge.setAway(true);
  for (let minute = 0; minute < 10; minute++) {
    clock.ms += silenceMsMax;
    revocations.redisIsAlive();
    expect(await told(gate, ticket)).toBe('in');
  }
  clock.ms += silenceMsMax + 1;
  expect(await told(gate, ticket)).toBe('unavailable');
});

test('a key that is withdrawn opens nothing after a minute, not even to those who are in', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  const { gate, report } = setUp();
  report();
  const old = await edge.ticket(streamId);
  const unused = await edge.ticket(streamId);
  expect(await told(gate, old)).toBe('in');
  await edge.changeKey();
  vi.advanceTimersByTime(jwksRefreshMs);
  await until('the old key is gone', async () => (await told(gate, old)) === 'unauthenticated');
  expect(await told(gate, unused)).toBe('unauthenticated');
  expect(await told(gate, await edge.ticket(streamId))).toBe('in');
  expect(2 * jwksRefreshMs).toBeLessThanOrEqual(jwksAgeMsMax);
});
