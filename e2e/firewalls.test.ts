// Through firewalls: where UDP, or every way but a relay, is closed, people still see each other; and over IPv6.
import { createSocket } from 'node:dgram';
import type { Cookie } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assert, TicketGrant } from '#contract';
import { hasIpv6Loopback } from '../testing/loopback.ts';
import { forcePaths, type PathRules, relayRefuses, usedPaths } from '../testing/paths.ts';
import {
  accessTokenOf,
  admitGuest,
  goLive,
  type PersonInBrowser,
  register,
} from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { type RunningTurnServer, startTurnServer } from '../testing/turn-server.ts';
import { framesAdvance, soundArrives, untilPlaying } from '../testing/video.ts';
import {
  foreignOrigin,
  foreignPageArgs,
  openForeignPage,
  playByWhep,
  receivedByPeer,
} from '../testing/whip-whep.ts';

const secret = 'the-secret-of-the-relay-in-this-test';
const lines: string[] = [];

let relay: RunningTurnServer;
let product: Product;
let streamId: string;
/** Of a guest: one address lets only so many in. */
let admission: Cookie[];

beforeAll(async () => {
  relay = await startTurnServer([secret]);
  const at = `127.0.0.1:${relay.port}`;
  const secureAt = `127.0.0.1:${relay.tlsPort}`;
  product = await startProduct(
    {
      API_ORIGINS: foreignOrigin,
      TURN_URLS: `turn:${at}?transport=udp,turn:${at}?transport=tcp,turns:${secureAt}?transport=tcp`,
      TURN_SECRET: secret,
      SFU_MEDIA_LISTEN_ADDRESS: hasIpv6Loopback ? '127.0.0.1,::1' : '127.0.0.1',
      LOG_LEVEL: 'debug',
    },
    {
      // The certificate of the relay is nobody's; and IPv6 may be there on the loopback address alone.
      browserArgs: [
        '--ignore-certificate-errors',
        '--allow-loopback-in-peer-connection',
        ...foreignPageArgs,
      ],
      onLine: (_, text) => lines.push(text),
    },
  );
  const first = await product.openWindow();
  await admitGuest(first);
  admission = await first.context.cookies();
  await first.context.close();
  const performer = await product.openWindow();
  await register(performer, 'performer');
  streamId = await goLive(performer, 'Behind a firewall');
});
afterAll(async () => {
  await product?.close();
  await relay?.stop();
});

/** A window of a guest who has passed the age gate. */
async function openGuest(): Promise<PersonInBrowser> {
  const guest = await product.openWindow();
  await guest.context.addCookies(admission);
  return guest;
}

/** A guest whose page keeps to the rules opens the stream. */
async function watch(rules: PathRules, stream = streamId): Promise<PersonInBrowser> {
  const guest = await openGuest();
  await forcePaths(guest.context, rules);
  await guest.page.goto(`/watch/${stream}`);
  return guest;
}

describe('a viewer who may only go through a relay', () => {
  test.each(['udp', 'tcp', 'tls'] as const)('watches over %s to the relay', async (relaysOver) => {
    const { page, context, complaints } = await watch({ relayOnly: true, relaysOver });
    await untilPlaying(page, 'webrtc');
    await soundArrives(page);
    await framesAdvance(page, 30);
    expect(await usedPaths(page)).toMatchObject([
      { way: 'relay', relayProtocol: relaysOver, protocol: 'udp' },
    ]);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('gets no live picture with credentials that the relay does not know', async () => {
    const credentials = { username: '4102444800:somebody', credential: 'Zm9yZ2Vk' };
    const { page, context } = await watch({ relayOnly: true, credentials });
    await relayRefuses(page, 401);
    expect(await usedPaths(page)).toEqual([]);
    await context.close();
  });
});

test('a performer who may only go through a relay is seen', async () => {
  const { page, context } = await watch({});
  const hidden = await product.openWindow();
  await forcePaths(hidden.context, { relayOnly: true, relaysOver: 'tcp' });
  await register(hidden, 'performer');
  const stream = await goLive(hidden, 'From behind a firewall');
  await page.goto(`/watch/${stream}`);
  await untilPlaying(page, 'webrtc');
  expect(await usedPaths(hidden.page)).toMatchObject([{ way: 'relay', relayProtocol: 'tcp' }]);
  expect(await usedPaths(page)).toMatchObject([{ way: expect.not.stringMatching('relay') }]);
  await hidden.context.close();
  await context.close();
});

test('a WHEP player that is not ours goes through a relay that the answer to its offer names', async () => {
  const fan = await product.openWindow();
  const { page, context } = fan;
  await register(fan, 'fan');
  const token = await accessTokenOf(fan);
  await forcePaths(context, { relayOnly: true, relaysOver: 'udp' });
  await openForeignPage(page);
  await playByWhep(page, { url: `${product.stack.urls.edge}/v1/whep/${streamId}`, token });
  await expect
    .poll(async () => (await receivedByPeer(page)).frames, { timeout: 20_000 })
    .toBeGreaterThan(20);
  expect(await usedPaths(page)).toMatchObject([{ way: 'relay', relayProtocol: 'udp' }]);
  await context.close();
});

test('where UDP is swallowed, people publish and watch over TCP alone, without a relay', async () => {
  const firewall = createSocket('udp4');
  const swallowed: Buffer[] = [];
  firewall.on('message', (packet) => swallowed.push(packet));
  await new Promise<void>((bound) => firewall.bind(0, '127.0.0.1', bound));
  const rules: PathRules = { udpVanishesAt: firewall.address().port, relaysOver: 'none' };

  const hidden = await product.openWindow();
  await forcePaths(hidden.context, rules);
  await register(hidden, 'performer');
  const stream = await goLive(hidden, 'Over TCP');
  expect(swallowed.length).toBeGreaterThan(0);
  const { page, context, complaints } = await watch(rules, stream);
  await untilPlaying(page, 'webrtc');
  await soundArrives(page);
  await framesAdvance(page, 30);
  for (const end of [hidden.page, page]) {
    expect(await usedPaths(end)).toEqual([
      expect.objectContaining({ relayProtocol: null, protocol: 'tcp' }),
    ]);
  }
  expect(complaints).toEqual([]);
  await hidden.context.close();
  await context.close();
  firewall.close();
});

describe.runIf(hasIpv6Loopback)('over IPv6', () => {
  test.each(['udp', 'tcp'] as const)('a viewer watches over %s', async (protocol) => {
    const rules: PathRules = { address: '::1', protocol, relaysOver: 'none' };
    const { page, context, complaints } = await watch(rules);
    await untilPlaying(page, 'webrtc');
    await framesAdvance(page, 30);
    expect(await usedPaths(page)).toMatchObject([{ protocol, address: '::1' }]);
    expect(complaints).toEqual([]);
    await context.close();
  });
});

test('neither the secret nor what is signed with it is in what the parts have logged', async () => {
  const { context } = await openGuest();
  const answer = await context.request.post(`/v1/streams/${streamId}/tickets`, {
    data: { intent: 'watch' },
  });
  const [server] = TicketGrant.parse(await answer.json()).room.iceServers;
  assert(server, 'a ticket brings a relay');
  const requestId = answer.headers()['x-request-id'] ?? '';
  await expect.poll(() => lines.some((line) => line.includes(requestId))).toBe(true);
  for (const hidden of [secret, server.username, server.credential]) {
    expect(lines.filter((line) => line.includes(hidden))).toEqual([]);
  }
  await context.close();
});

test('a relay that is started anew is used again, and the picture comes back without a reload', async () => {
  const { page, context } = await watch({ relayOnly: true, relaysOver: 'udp' });
  await untilPlaying(page, 'webrtc');
  await page.evaluate(() => Reflect.set(window, 'loadedOnce', true));
  await relay.restart();
  await expect.poll(async () => (await usedPaths(page)).length, { timeout: 30_000 }).toBe(0);
  await untilPlaying(page, 'webrtc', 60_000);
  await expect
    .poll(() => usedPaths(page), { timeout: 30_000 })
    .toMatchObject([{ way: 'relay', relayProtocol: 'udp' }]);
  expect(await page.evaluate(() => Reflect.get(window, 'loadedOnce'))).toBe(true);
  await context.close();
});
