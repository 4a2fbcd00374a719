// Tests of checked tickets: a revocation finds those who hold one, and the streams whose addresses they know.
import { expect, test } from 'vitest';
import type { Revocation } from '#contract';
import { type CheckedTicket, createCheckedTickets } from './checked-tickets.ts';

const [one, other] = [crypto.randomUUID(), crypto.randomUUID()];
const ticket = (wishes: Partial<CheckedTicket> = {}): CheckedTicket => ({
  subject: 'somebody',
  sessionId: 'session',
  rev: 5,
  streamId: one,
  expiresMs: 300_000,
  keyId: 'key',
  ended: false,
  ...wishes,
});
const revocation = (wishes: Partial<Revocation>): Revocation => ({
  number: 6,
  kind: 'user',
  subject: 'somebody',
  streamId: null,
  ...wishes,
});

function setUp(ticketsMax?: number) {
  const clock = { ms: 0 };
  return { clock, tickets: createCheckedTickets(() => clock.ms, ticketsMax) };
}

test.each<[string, Partial<Revocation>, string[]]>([
  ['a person', {}, [one, other]],
  ['a session', { kind: 'session', subject: 'session' }, [one]],
  ['a viewer of one stream', { kind: 'viewer', streamId: one }, [one]],
  ['all viewers of one stream', { kind: 'stream', subject: null, streamId: other }, [other]],
  ['somebody else', { subject: 'nobody' }, []],
  ['what was known when the tickets were signed', { number: 5 }, []],
])('%s: the tickets end, and no others', (_, wishes, streams) => {
  const { tickets } = setUp();
  tickets.add('a', ticket());
  tickets.add('b', ticket({ streamId: other, sessionId: null }));
  tickets.add('c', ticket({ subject: 'guest', sessionId: null, streamId: crypto.randomUUID() }));
  expect([...tickets.end(revocation(wishes))].sort()).toEqual([...streams].sort());
  expect(['a', 'b', 'c'].filter((token) => tickets.get(token)?.ended)).toHaveLength(streams.length);
  // Told again, it finds nothing that has not been done.
  expect(tickets.end(revocation(wishes)).size).toBe(0);
});

test('who held a ticket until a moment ago is still known, and later forgotten', () => {
  const { tickets, clock } = setUp();
  tickets.add('a', ticket());
  clock.ms = 301_000;
  tickets.sweep();
  expect(tickets.end(revocation({}))).toEqual(new Set([one]));
  tickets.add('b', ticket());
  clock.ms = 400_000;
  tickets.sweep();
  expect(tickets.get('b')).toBeNull();
  expect(tickets.end(revocation({})).size).toBe(0);
});

test('where there was no place to remember the holder, anybody may have been it', () => {
  const { tickets, clock } = setUp(2);
  tickets.add('a', ticket());
  tickets.add('b', ticket({ subject: 'b', streamId: other }));
  tickets.add('c', ticket({ subject: 'c', streamId: other }));
  expect(tickets.get('a')).toBeNull();
  expect(tickets.end(revocation({}))).toEqual(new Set([one]));
  expect(tickets.end(revocation({ kind: 'stream', subject: null, streamId: other })).size).toBe(1);
  clock.ms = 400_000;
  tickets.sweep();
  expect(tickets.end(revocation({ number: 7 })).size).toBe(0);
});

test('what a withdrawn key has signed is checked anew', () => {
  const { tickets } = setUp();
  tickets.add('a', ticket());
  tickets.add('b', ticket({ keyId: 'new key' }));
  tickets.keepKeys(new Set(['new key']));
  expect(tickets.get('a')).toBeNull();
  expect(tickets.get('b')).not.toBeNull();
});
