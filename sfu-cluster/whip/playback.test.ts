// Tests of WHEP with a real browser: what a room shows is played, under the numbers that the player offers.
import type { Browser } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { playByWhep, publishByWhip, receivedByPeer } from '../../testing/whip-whep.ts';
import { type BrowserPage, openPage, startPageBrowser } from '../testing/browser-page.ts';
import { testHost } from '../testing/rtp-source.ts';
import { useScene } from '../testing/scene.ts';
import { startTestNode } from '../testing/test-node.ts';

const scene = useScene({ workers: 2 });
let browser: Browser;
const pages: BrowserPage[] = [];

beforeAll(async () => {
  browser = await startPageBrowser();
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});
afterAll(() => browser?.close());

async function open(): Promise<BrowserPage> {
  const page = await openPage(browser);
  pages.push(page);
  return page;
}

type Wish = Partial<Parameters<BrowserPage['publish']>[0]>;

async function publish(wish: Wish = {}): Promise<BrowserPage> {
  const page = await open();
  const token = await scene.edge.ticket({ stream: scene.stream, capabilities: ['publish'] });
  const answer = await page.publish({ url: `${scene.node.httpUrl}/whip`, token, ...wish });
  expect(answer.status).toBe(201);
  await expect.poll(() => scene.node.rooms.find(scene.stream)?.sources).not.toEqual([]);
  return page;
}

async function play(wish: Partial<Parameters<BrowserPage['play']>[0]> = {}, node = scene.node) {
  const page = await open();
  const token = await scene.edge.ticket({
    stream: scene.stream,
    node: node.nodeId,
    capabilities: ['subscribe'],
  });
  const answer = await page.play({ url: `${node.httpUrl}/whep`, token, ...wish });
  return { page, answer };
}

const isPlayed = async (page: BrowserPage) => {
  await expect
    .poll(async () => (await page.seen()).framesDecoded, { timeout: 15_000 })
    .toBeGreaterThan(5);
  await expect.poll(async () => (await page.seen()).audioPackets).toBeGreaterThan(5);
};

describe.each(['H264', 'VP8'] as const)('a stream in %s', (codec) => {
  test('is played with its sound, and whoever plays it is a viewer of the room', async () => {
    await publish({ codec });
    const { page, answer } = await play();
    expect(answer).toMatchObject({ status: 201, acceptPatch: 'application/trickle-ice-sdpfrag' });
    expect(answer.location).toMatch(/^whep\/[A-Za-z0-9_-]{43}$/);
    await isPlayed(page);
    expect((await page.seen()).codec).toBe(`video/${codec}`);
    expect(scene.room.viewers).toBe(1);
    expect((await page.end()).status).toBe(200);
    expect(scene.room.viewers).toBe(0);
  });
});

test('players of one make share a copy of the room, which goes when they have left', async () => {
  await publish();
  const { home } = await scene.room.media();
  const before = (await home.router.dump()).transportIds.length;
  const players = [await play(), await play(), await play()];
  for (const { page } of players) await isPlayed(page);
  // One pipe, however many play.
  expect((await home.router.dump()).transportIds).toHaveLength(before + 1);
  expect(scene.room.viewers).toBe(3);
});

test('of a stream in layers the best one is played', { timeout: 90_000 }, async () => {
  const layers = [
    { rid: 'q', scale: 4 },
    { rid: 'h', scale: 2 },
    { rid: 'f', scale: 1 },
  ];
  await publish({ layers });
  await expect.poll(() => scene.room.sources).toHaveLength(2);
  const { page } = await play();
  // A busy machine loses packets, and the way back up takes its time.
  await expect.poll(async () => (await page.seen()).frameWidth, { timeout: 60_000 }).toBe(960);
});

test('sound alone is played to whoever asks for sound alone, and where there is nothing else', async () => {
  await publish({ picture: false });
  const both = await play();
  expect(both.answer.status).toBe(201);
  // The section of the picture is switched off.
  expect(both.answer.body).toMatch(/^m=video 0 /m);
  const alone = await play({ picture: false });
  for (const { page } of [both, alone]) {
    await expect.poll(async () => (await page.seen()).audioPackets).toBeGreaterThan(5);
  }
});

test('nothing is played of a stream that shows nothing, and the player is told when to come again', async () => {
  const page = await open();
  const token = await scene.edge.ticket({ stream: scene.stream, capabilities: ['subscribe'] });
  const answer = await page.play({ url: `${scene.node.httpUrl}/whep`, token });
  expect([answer.status, JSON.parse(answer.body).code]).toEqual([409, 'stream-not-live']);
  expect(scene.node.rooms.find(scene.stream)).toBeNull();
});

test('the connection ends when the stream shows nothing any more, and when it shows something else', async () => {
  const publisher = await publish({ picture: false });
  const first = await play();
  await expect.poll(() => first.page.state()).toBe('connected');
  const keeper = await scene.join();
  expect((await publisher.end()).status).toBe(200);
  await expect.poll(() => first.page.state()).toBe('closed');
  await publish({ picture: false });
  const second = await play();
  await expect.poll(() => second.page.state()).toBe('connected');
  const media = await scene.room.media();
  const transport = await media.home.router.createDirectTransport();
  await media.publish(transport, {
    source: 'screen',
    owner: testHost,
    kind: 'video',
    rtpParameters: {
      mid: 'v',
      codecs: [{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000 }],
      encodings: [{ ssrc: 4_711 }],
    },
  });
  await expect.poll(() => second.page.state()).toBe('closed');
  keeper.close();
});

test('on a node that has to bring the stream from another one it is played, too', async () => {
  const { edge, redisUrl } = scene;
  const other = await startTestNode({ edgeUrl: edge.url, redisUrl, nodeId: 'sfu-far' });
  edge.origins.set(scene.stream, { nodeId: scene.node.nodeId, url: scene.node.socketUrl });
  await publish();
  const { page, answer } = await play({}, other);
  expect(answer.status).toBe(201);
  await isPlayed(page);
  await other.close();
});

test('ICE is trickled, and restarted, and the picture goes on', async () => {
  await publish();
  const { page, answer } = await play();
  const trickled = await page.trickle();
  expect([trickled.status, trickled.etag, trickled.body]).toEqual([204, null, '']);
  await isPlayed(page);
  const before = { ...(await page.seen()), name: await page.localName() };
  const restarted = await page.restartIce();
  expect(restarted.status).toBe(200);
  expect(restarted.etag).toMatch(/^"[A-Za-z0-9_-]+"$/);
  expect(restarted.etag).not.toBe(answer.etag);
  expect(restarted.body).toMatch(/^a=ice-lite\r\n/);
  expect(restarted.body).toMatch(/^a=candidate:/m);
  expect(await page.localName()).not.toBe(before.name);
  await expect
    .poll(async () => (await page.seen()).framesDecoded, { timeout: 10_000 })
    .toBeGreaterThan(before.framesDecoded + 15);
  expect(await page.state()).toBe('connected');
});

test('clients that are not ours publish by WHIP and play by WHEP', async () => {
  const [sender, player] = [await open(), await open()];
  const ticket = (capability: 'publish' | 'subscribe') =>
    scene.edge.ticket({ stream: scene.stream, capabilities: [capability] });
  const { httpUrl } = scene.node;
  await publishByWhip(sender.page, { url: `${httpUrl}/whip`, token: await ticket('publish') });
  await playByWhep(player.page, { url: `${httpUrl}/whep`, token: await ticket('subscribe') });
  await expect
    .poll(async () => (await receivedByPeer(player.page)).frames, { timeout: 15_000 })
    .toBeGreaterThan(5);
});
