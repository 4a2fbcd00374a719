// Attacks on the ticket gate of HLS: no playlist for a ticket that was made in one of the many ways to deceive.
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { hlsTicketTtlSeconds, ticketTypes } from '#contract';
import { jwtAttacks } from '../../testing/jwt-attacks.ts';
import { startKeyServer } from '../../testing/key-server.ts';
import { Refusal } from './refusal.ts';
import { createTicketGate } from './ticket-gate.ts';

test('nothing is believed that the edge has not signed for this stream', async () => {
  const keys = await startKeyServer();
  const revocations = { doubt: null, ends: () => false };
  const gate = createTicketGate({ edgeUrl: keys.url, revocations });
  onTestFinished(() => {
    gate.close();
    keys.close();
  });
  const streamId = randomUUID();
  const told = async (ticket: string, of = streamId): Promise<string> => {
    try {
      await gate.admit(ticket, of);
      return 'in';
    } catch (error) {
      if (error instanceof Refusal) return error.code;
      throw error;
    }
  };

  const now = Math.floor(Date.now() / 1000);
  const { good, attacks } = jwtAttacks({
    jwk: keys.jwk,
    type: ticketTypes.hls,
    otherTypes: [ticketTypes.room, ticketTypes.node, 'at+jwt', 'guest+jwt'],
    claims: {
      iss: 'livepanty',
      aud: 'hls',
      iat: now,
      exp: now + hlsTicketTtlSeconds,
      jti: randomUUID(),
      sub: randomUUID(),
      sid: randomUUID(),
      rev: 0,
      stream: streamId,
    },
  });
  expect(await told(good)).toBe('in');
  expect(await told(good, randomUUID())).toBe('forbidden');
  expect(attacks.length).toBeGreaterThan(60);
  // Twice, because what was seen before may be remembered.
  for (const _ of [1, 2]) {
    for (const { name, token } of attacks) expect(await told(token), name).toBe('unauthenticated');
  }
  expect(await told(good)).toBe('in');
});
