// Tests of the edge channel: what is said on Redis is heard, also after the connection has silently died.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { controlChannel, type Revocation, transcodeNudgeChannel } from '#contract';
import { type RunningRedis, startRedis } from '../../testing/redis.ts';
import { until } from '../testing/bench.ts';
import { listenToEdge } from './edge-channel.ts';

const revocation: Revocation = { number: 7, kind: 'user', subject: 'somebody', streamId: null };
const message = JSON.stringify({ type: 'revoked', revocation });

async function startOwnRedis(): Promise<RunningRedis> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  return redis;
}

/** Listens by this address, and speaks by the server's own. */
async function setUp(redis: RunningRedis, redisUrl = redis.url) {
  const heard = { nudges: 0, alive: 0, revoked: [] as Revocation[] };
  const channel = listenToEdge({
    redisUrl,
    log: pino({ level: 'silent' }),
    onNudge: () => {
      heard.nudges++;
    },
    onAlive: () => {
      heard.alive++;
    },
    onRevoked: (each) => heard.revoked.push(each),
  });
  const teller = new Redis(redis.url);
  onTestFinished(() => {
    channel.close();
    teller.disconnect();
  });
  await until('somebody listens', async () => {
    const counts = await teller.pubsub('NUMSUB', controlChannel);
    return Number(counts[1]) === 1;
  });
  return { heard, teller };
}

test('revocations and nudges are told apart, and what cannot be read asks for a report', async () => {
  const { heard, teller } = await setUp(await startOwnRedis());
  await until('it is ready', () => heard.nudges === 1);
  await teller.publish(transcodeNudgeChannel, '1');
  await until('the nudge', () => heard.nudges === 2);
  await teller.publish(controlChannel, message);
  await until('the revocation', () => heard.revoked.length === 1);
  expect(heard.revoked).toEqual([revocation]);
  expect(heard.nudges).toBe(2);
  for (const nonsense of ['{', '{"type":"revoked"}', '{"type":"another"}']) {
    await teller.publish(controlChannel, nonsense);
  }
  await until('a nudge for each', () => heard.nudges === 5);
  expect(heard.revoked).toHaveLength(1);
});

test('a connection that has gone silent is opened anew, and heard again', {
  timeout: 40_000,
}, async () => {
  const redis = await startOwnRedis();
  // A network that swallows everything on the connections that it has by then, and ends none.
  const pairs: [Socket, Socket][] = [];
  const proxy = createServer((near) => {
    const far = connect(redis.port, '127.0.0.1');
    pairs.push([near, far]);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => {});
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    for (const socket of pairs.flat()) socket.destroy();
    proxy.close();
  });
  const { port } = proxy.address() as AddressInfo;
  const { heard, teller } = await setUp(redis, `redis://127.0.0.1:${port}`);
  await until('it is alive', () => heard.alive > 0);
  for (const [near, far] of pairs) {
    near.unpipe(far).resume();
    far.unpipe(near).resume();
  }
  await until('another connection', () => pairs.length === 2);
  await until('it is heard', async () => {
    await teller.publish(controlChannel, message);
    return heard.revoked.length > 0;
  });
  // It asks what it has missed: once at first, and once now.
  expect(heard.nudges).toBe(2);
});
