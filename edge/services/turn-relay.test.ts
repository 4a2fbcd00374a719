// The relay: coturn, with the configuration of deploy/, takes what the edge signs, and nothing else.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assert, type IceServer } from '#contract';
import { hasIpv6Loopback } from '../../testing/loopback.ts';
import { openTurnClient, tryAllocation } from '../../testing/turn-client.ts';
import { type RunningTurnServer, startTurnServer } from '../../testing/turn-server.ts';
import { createTurn, turnCredentialTtlSeconds } from './turn.ts';

const secret = 'the-new-secret-of-at-least-32-characters';
const oldSecret = 'the-old-secret-of-at-least-32-characters';
const ttlMs = turnCredentialTtlSeconds * 1_000;

let relay: RunningTurnServer;
beforeAll(async () => {
  relay = await startTurnServer([secret, oldSecret]);
});
afterAll(() => relay?.stop());

/** Credentials that end in so many milliseconds; of somebody new, unless it is said whose. */
async function credentials({
  endInMs = ttlMs,
  by = secret,
  of = randomUUID() as string,
} = {}): Promise<IceServer> {
  const signedAt = new Date(Date.now() + endInMs - ttlMs);
  const turn = await createTurn({ TURN_URLS: ['turn:x'], TURN_SECRET: [by] }, () => signedAt);
  const [server] = await turn.iceServersFor(of);
  assert(server, 'relays are configured');
  return server;
}

const allocate = (by: Pick<IceServer, 'username' | 'credential'>) => tryAllocation(relay.port, by);

test('it understands every line of its configuration', () => {
  // On the loopback address it must say that it may talk to itself.
  const complaints = relay.output.filter(
    (line) => /bad config|error|warning/i.test(line) && !/allow_loopback_peers/.test(line),
  );
  expect(complaints).toEqual([]);
});

test('credentials of today are taken, and during a rotation those of either secret', async () => {
  expect(await allocate(await credentials())).toBe('granted');
  expect(await allocate(await credentials({ by: oldSecret }))).toBe('granted');
});

test('forged credentials are refused: another secret, a later end, another user, none at all', async () => {
  const good = await credentials();
  const other = await credentials();
  const [end = '', user] = good.username.split(':');
  const forged = [
    await credentials({ by: 'a-secret-that-the-relay-does-not-know' }),
    { ...good, username: `${Number(end) + 3_600}:${user}` },
    { ...good, username: other.username },
    { ...good, credential: '' },
    { ...good, username: `${user}` },
  ];
  expect(await Promise.all(forged.map(allocate))).toEqual(forged.map(() => 401));
  expect(await allocate(good)).toBe('granted');
});

test('expired credentials are refused', async () => {
  expect(await allocate(await credentials({ endInMs: -5_000 }))).toBe(401);
});

test("one user's credentials are taken until their time and not after it; another's are, and what stands goes on", async () => {
  const [short, long] = [await credentials({ endInMs: 4_000 }), await credentials()];
  const watching = await openTurnClient(relay.port, short);
  expect(await watching.allocate()).toBe('granted');
  const endsAtMs = Number.parseInt(short.username, 10) * 1_000;
  for (;;) {
    const askedAtMs = Date.now();
    const outcome = await allocate(short);
    if (outcome !== 'granted') {
      expect(outcome).toBe(401);
      expect(Date.now()).toBeGreaterThanOrEqual(endsAtMs);
      break;
    }
    // The relay counts in whole seconds.
    expect(askedAtMs).toBeLessThan(endsAtMs + 2_000);
    await delay(50);
  }
  expect(await allocate(long)).toBe('granted');
  expect(await watching.permit('127.0.0.1')).toBe('granted');
  await watching.close();
});

/** Of networks, of other machines, of the relay's own, everybody's and nobody's. */
const strangers = {
  4: [
    ...['10.0.0.1', '172.16.0.1', '192.168.1.1', '100.64.0.1', '169.254.169.254'],
    ...['198.51.100.7', '127.0.0.2', '224.0.0.1', '0.0.0.0'],
  ],
  6: [
    ...['fd00:0:0:0:0:0:0:1', 'fe80:0:0:0:0:0:0:1', '2001:db8:0:0:0:0:0:1'],
    ...['0:0:0:0:0:ffff:a00:1', 'ff02:0:0:0:0:0:0:1', '0:0:0:0:0:0:0:0'],
  ],
};

test.each([
  [4, '127.0.0.1'],
  [6, '0:0:0:0:0:0:0:1'],
] as const)('through it nobody is reached over IPv%i but SFU nodes', async (family, node) => {
  if (family === 6 && !hasIpv6Loopback) return;
  const client = await openTurnClient(relay.port, await credentials());
  expect(await client.allocate(family)).toBe('granted');
  expect(await client.permit(node)).toBe('granted');
  for (const peer of strangers[family]) expect(await client.permit(peer), peer).toBe(403);
  await client.close();
});

test('one user has so many relays at a time, and no more, whatever credentials they show', async () => {
  const of = 'somebody with many connections';
  const [now, later] = [await credentials({ of }), await credentials({ of, endInMs: 60_000 })];
  const clients = await Promise.all(
    Array.from({ length: 25 }, (_, n) => openTurnClient(relay.port, n % 2 === 0 ? now : later)),
  );
  const outcomes = [];
  for (const client of clients) outcomes.push(await client.allocate());
  expect(outcomes).toEqual([...Array.from({ length: 24 }, () => 'granted'), 486]);
  expect(await allocate(await credentials())).toBe('granted');
  await Promise.all(clients.map((client) => client.close()));
});
