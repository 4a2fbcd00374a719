import { expect, test } from 'vitest';
import { hlsTicketTtlSeconds, type TicketGrant } from '#contract';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { createHlsTicket, hlsPollMs, renewBeforeEndMs } from './hls-ticket.ts';

const lifeMs = hlsTicketTtlSeconds * 1_000;
const playlist = 'https://media.example/live/s1/index.m3u8';

function createScene({ clockAheadMs = 0 } = {}) {
  const clock = createManualClock();
  let given = 0;
  let available = true;
  let lost = false;
  let refused = false;
  const hls = (): TicketGrant['hls'] =>
    available
      ? {
          url: playlist,
          ticket: `ticket-${given}`,
          expiresAt: new Date(clock.now() - clockAheadMs + lifeMs).toISOString(),
        }
      : null;
  const ticket = createHlsTicket({
    clock,
    random: () => 1,
    async grant() {
      given += 1;
      if (refused) throw new ApiError('unauthenticated', 401, null, 'refused');
      if (lost) throw new ApiError('network', 0, null, 'lost');
      return {
        transport: 'webrtc',
        room: { url: 'ws://x', ticket: 'r', iceServers: [] },
        hls: hls(),
        stage: null,
      };
    },
  });
  return {
    clock,
    ticket,
    given: () => given,
    held: () => new URL(ticket.sign(playlist)).searchParams.get('ticket'),
    setAvailable: (now: boolean) => {
      available = now;
    },
    setLost: (now: boolean) => {
      lost = now;
    },
    setRefused: (now: boolean) => {
      refused = now;
    },
  };
}

test('the ticket is renewed before it ends, again and again', async () => {
  const { clock, ticket, held, given } = createScene();
  ticket.keep();
  await settled();
  expect(held()).toBe('ticket-1');
  await clock.advance(lifeMs - renewBeforeEndMs - 1);
  expect(given()).toBe(1);
  await clock.advance(1);
  expect(held()).toBe('ticket-2');
  await clock.advance(10 * lifeMs);
  expect(given()).toBeGreaterThan(10);
});

test.each([-600_000, 600_000])(
  'a device whose clock is %i ms ahead renews as often as any other',
  async (clockAheadMs) => {
    const { clock, ticket, given } = createScene({ clockAheadMs });
    ticket.keep();
    await clock.advance(2 * lifeMs);
    expect(given()).toBe(3);
  },
);

test('an address keeps its own query and carries one ticket, the newest', async () => {
  const { clock, ticket } = createScene();
  ticket.keep();
  await settled();
  const first = ticket.sign(`${playlist}?_HLS_msn=7&_HLS_part=2`);
  await clock.advance(lifeMs);
  const { searchParams } = new URL(ticket.sign(first));
  expect(searchParams.getAll('ticket')).toEqual(['ticket-2']);
  expect(searchParams.get('_HLS_msn')).toBe('7');
});

test('a stream without an HLS version is asked for it until it has one', async () => {
  const { clock, ticket, setAvailable } = createScene();
  setAvailable(false);
  ticket.keep();
  await clock.advance(3 * hlsPollMs);
  expect(ticket.url.value).toBeNull();
  setAvailable(true);
  await clock.advance(hlsPollMs);
  expect(ticket.url.value).toBe(playlist);
});

test('a renewal that fails is tried again while the old ticket still works', async () => {
  const { clock, ticket, held, setLost } = createScene();
  ticket.keep();
  await settled();
  setLost(true);
  await clock.advance(lifeMs - renewBeforeEndMs + 5_000);
  expect(held()).toBe('ticket-1');
  setLost(false);
  await clock.advance(10_000);
  expect(held()).not.toBe('ticket-1');
});

test('many refusals of one ticket fetch one new ticket', async () => {
  const { clock, ticket, given } = createScene();
  ticket.keep();
  await clock.advance(5_000);
  for (let refusal = 0; refusal < 5; refusal += 1) ticket.renewNow();
  await settled();
  expect(given()).toBe(2);
});

test('nobody asks for tickets while nobody plays HLS', async () => {
  const { clock, ticket, given } = createScene();
  ticket.keep();
  await settled();
  ticket.rest();
  await clock.advance(10 * lifeMs);
  expect(given()).toBe(1);
  expect(clock.waiting).toBe(0);
});

test('a refusal ends it: the old ticket is let go, and nobody asks again by itself', async () => {
  const { clock, ticket, given, held, setRefused } = createScene();
  ticket.keep();
  await clock.advance(5_000);
  setRefused(true);
  for (let refusal = 0; refusal < 5; refusal += 1) ticket.renewNow();
  await settled();
  expect(given()).toBe(2);
  expect(ticket.refusal.value).toBe('unauthenticated');
  expect(held()).toBeNull();
  await clock.advance(10 * lifeMs);
  expect(given()).toBe(2);
  expect(clock.waiting).toBe(0);
  // Somebody tries again.
  setRefused(false);
  ticket.renewNow();
  await settled();
  expect(ticket.refusal.value).toBeNull();
  expect(held()).toBe('ticket-3');
  await clock.advance(lifeMs);
  expect(given()).toBe(4);
});

test('tickets that came for another reason end a refusal', async () => {
  const { clock, ticket, setRefused } = createScene();
  setRefused(true);
  ticket.keep();
  await settled();
  expect(ticket.refusal.value).toBe('unauthenticated');
  ticket.accept({
    url: playlist,
    ticket: 'other',
    expiresAt: new Date(clock.now() + lifeMs).toISOString(),
  });
  expect(ticket.refusal.value).toBeNull();
  expect(ticket.sign(playlist)).toContain('ticket=other');
});
