// Attacks on the ticket gate of SFU nodes: no deceit is let in, and a ticket is used once wherever it is shown.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { roomTicketTtlSeconds, ticketTypes } from '#contract';
import { jwtAttacks } from '../testing/jwt-attacks.ts';
import { type KeyServer, startKeyServer } from '../testing/key-server.ts';
import { redisUrl } from '../testing/services.ts';
import { Refusal } from './refusals.ts';
import { createTicketGate, type TicketGate } from './ticket-gate.ts';

const nodeId = 'sfu-attacked';
let keys: KeyServer;
const connections: Redis[] = [];
let gates: [TicketGate, TicketGate];
beforeAll(async () => {
  keys = await startKeyServer();
  const open = () => {
    const redis = new Redis(redisUrl());
    connections.push(redis);
    return createTicketGate({
      edgeUrl: keys.url,
      nodeId,
      redis,
      revocations: { check: () => {} },
    });
  };
  gates = [open(), open()];
});
afterAll(() => {
  keys.close();
  for (const connection of connections) connection.disconnect();
});

async function told(gate: TicketGate, ticket: string): Promise<string> {
  try {
    await gate.admit(ticket);
    return 'in';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

function roomClaims() {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: 'livepanty',
    aud: 'room',
    iat: now,
    exp: now + roomTicketTtlSeconds,
    jti: randomUUID(),
    sub: randomUUID(),
    sid: randomUUID(),
    rev: 0,
    name: 'asha',
    role: 'viewer',
    stream: randomUUID(),
    node: nodeId,
    capabilities: ['subscribe'],
  };
}

test('no ticket opens a room that was made in one of the many ways to deceive', async () => {
  const { good, attacks } = jwtAttacks({
    jwk: keys.jwk,
    type: ticketTypes.room,
    otherTypes: [ticketTypes.hls, ticketTypes.node, 'at+jwt', 'guest+jwt'],
    claims: roomClaims(),
  });
  const [gate] = gates;
  expect(attacks.length).toBeGreaterThan(60);
  for (const { name, token } of attacks) {
    expect(['ticket-invalid', 'ticket-expired'], name).toContain(await told(gate, token));
  }
  expect(await told(gate, good)).toBe('in');
});

test('nor does one tap media as a transcoder', async () => {
  const { sid: _, rev: __, name: ___, role: ____, capabilities: _____, ...claims } = roomClaims();
  const { good, attacks } = jwtAttacks({
    jwk: keys.jwk,
    type: ticketTypes.node,
    otherTypes: [ticketTypes.hls, ticketTypes.room, 'at+jwt', 'guest+jwt'],
    claims: { ...claims, aud: 'node', use: 'tap' },
  });
  const [gate] = gates;
  for (const { name, token } of attacks) {
    expect(['ticket-invalid', 'ticket-expired'], name).toContain(await told(gate, token));
  }
  expect(await told(gate, good)).toBe('in');
});

test('1,000 tickets, each shown 50 times at once to two nodes: each is taken once', async () => {
  const key = await importJWK(keys.jwk, 'EdDSA');
  const header = { alg: 'EdDSA', kid: keys.jwk.kid, typ: ticketTypes.room };
  const counts = new Map<string, number>();
  for (let batch = 0; batch < 100; batch += 1) {
    const tickets = await Promise.all(
      Array.from({ length: 10 }, () =>
        new SignJWT(roomClaims()).setProtectedHeader(header).sign(key),
      ),
    );
    const outcomes = await Promise.all(
      tickets.map((ticket) =>
        Promise.all(Array.from({ length: 50 }, (_, at) => told(gates[at % 2 ? 1 : 0], ticket))),
      ),
    );
    for (const told of outcomes) {
      expect(told.filter((one) => one === 'in')).toHaveLength(1);
      for (const one of told) counts.set(one, (counts.get(one) ?? 0) + 1);
    }
  }
  expect(Object.fromEntries(counts)).toEqual({ in: 1_000, 'ticket-used': 49_000 });
}, 120_000);
