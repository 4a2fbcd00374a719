// Tips over HTTP: the whole product, its API on Node, fans of one performer and of fifty.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { edgeCommand } from '../../scripts/launch/edge-command.ts';
import { edgeEnvironment } from '../../scripts/launch/environment.ts';
import { freePort } from '../../scripts/launch/free-port.ts';
import { Part } from '../../scripts/launch/part.ts';
import { probeReady } from '../../scripts/launch/probe.ts';
import { type Stack, startStack } from '../../scripts/launch/stack.ts';
import { type Crowd, makeCrowd } from '../../testing/crowd.ts';
import { quantile } from '../../testing/pixel-clock.ts';
import { countRoundTrips } from '../../testing/round-trips.ts';
import { createFans, type Fans } from '../../testing/tip-client.ts';

const viewers = 3_000;
const performers = 50;
const clients = 64;
const rounds = 5;
const roundMs = 3_000;
const steadyPerSecond = 300;
const steadySeconds = 20;
const countedTips = 200;

export interface HttpFigures {
  hotPerSecond: number;
  spreadPerSecond: number;
  hotToSpread: number;
  p50MsAt300: number;
  p99MsAt300: number;
  /** One tip after another, and many at once. */
  roundTripsPerTip: number;
  roundTripsPerTipUnderLoad: number;
  samplesMs: number[];
}

export async function measureHttp(say: (text: string) => void): Promise<HttpFigures> {
  const dataDir = await mkdtemp(join(tmpdir(), 'livepanty-bench-'));
  const stack = await startStack({
    dataDir,
    ports: 'free',
    withClient: false,
    env: { ...process.env, LIVEPANTY_EDGE: 'node', LOG_LEVEL: 'error' },
  });
  try {
    const crowd = await makeCrowd(stack.urls.databaseOwner, { viewers, performers });
    const counted = await measureRoundTrips(stack, crowd);
    say(
      `${counted.roundTripsPerTip} round trips a tip, ${counted.roundTripsPerTipUnderLoad} under load`,
    );
    const fans = await createFans({
      edgeUrl: stack.urls.edge,
      signingKeys: JSON.stringify(stack.secrets.signingKeys),
      crowd,
      socketsMax: clients,
    });
    try {
      await closedLoop(fans, 'hot', roundMs);
      const hot: number[] = [];
      const spread: number[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        hot.push(await closedLoop(fans, 'hot', roundMs));
        spread.push(await closedLoop(fans, 'spread', roundMs));
        say(
          `round ${round} of ${rounds}: ${Math.round(hot.at(-1) ?? 0)} tips/s to one, ${Math.round(spread.at(-1) ?? 0)} to fifty`,
        );
      }
      const samplesMs = await steady(fans);
      const figures = {
        hotPerSecond: quantile(hot, 0.5),
        spreadPerSecond: quantile(spread, 0.5),
        hotToSpread: quantile(
          hot.map((rate, index) => rate / (spread[index] ?? rate)),
          0.5,
        ),
        p50MsAt300: quantile(samplesMs, 0.5),
        p99MsAt300: quantile(samplesMs, 0.99),
        samplesMs,
        ...counted,
      };
      say(`at ${steadyPerSecond}/s: p50 ${figures.p50MsAt300} ms, p99 ${figures.p99MsAt300} ms`);
      return figures;
    } finally {
      fans.close();
    }
  } finally {
    await stack.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

const any = (count: number) => Math.floor(Math.random() * count);

async function tipOnce(fans: Fans, audience: 'hot' | 'spread'): Promise<void> {
  const answer = await fans.tip(any(viewers), audience === 'hot' ? 0 : any(performers));
  if (answer.status !== 201) throw new Error(`a tip was refused: ${JSON.stringify(answer)}`);
}

/** Tips per second when each client sends the next as soon as it has an answer. */
async function closedLoop(fans: Fans, audience: 'hot' | 'spread', ms: number): Promise<number> {
  const beganAt = performance.now();
  let tips = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() - beganAt < ms) {
        await tipOnce(fans, audience);
        tips += 1;
      }
    }),
  );
  return (tips * 1000) / (performance.now() - beganAt);
}

/**
 * Delays at a steady pace to one performer. Each counts from the moment at which the tip was due, so that
 * an answer that holds up others is not left out of the account.
 */
async function steady(fans: Fans): Promise<number[]> {
  const beganAt = performance.now();
  const delays: Promise<number>[] = [];
  for (let index = 0; index < steadyPerSecond * steadySeconds; index += 1) {
    const dueAt = beganAt + (index * 1000) / steadyPerSecond;
    const waitMs = dueAt - performance.now();
    if (waitMs > 1) await delay(waitMs);
    delays.push(tipOnce(fans, 'hot').then(() => performance.now() - dueAt));
  }
  return Promise.all(delays);
}

/** Round trips between an API of its own and the database, which nothing else there uses. */
async function measureRoundTrips(stack: Stack, crowd: Crowd) {
  const counter = await countRoundTrips(stack.urls.database);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const edge = Part.create({
    name: 'counted edge',
    after: [],
    address: url,
    command: async () =>
      edgeCommand('node', port, {
        ...edgeEnvironment(stack.settings, stack.secrets, stack.urls),
        DATABASE_URL: counter.url,
      }),
    probe: (signal) => probeReady(url, signal),
  });
  await edge.start();
  const fans = await createFans({
    edgeUrl: url,
    signingKeys: JSON.stringify(stack.secrets.signingKeys),
    crowd,
    socketsMax: clients,
  });
  try {
    await tipOnce(fans, 'hot');
    counter.take();
    for (let index = 0; index < countedTips; index += 1) await tipOnce(fans, 'hot');
    const roundTripsPerTip = counter.take() / countedTips;
    await Promise.all(Array.from({ length: countedTips }, () => tipOnce(fans, 'hot')));
    return { roundTripsPerTip, roundTripsPerTipUnderLoad: counter.take() / countedTips };
  } finally {
    fans.close();
    await edge.stop();
    await counter.close();
  }
}
