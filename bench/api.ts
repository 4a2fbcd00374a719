// The API: what a read costs on each runtime, beside the same read by Express and pg on the same database, in turn.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSigner } from '../edge/services/signer.ts';
import { edgeCommand, serverCommand } from '../scripts/launch/edge-command.ts';
import { edgeEnvironment } from '../scripts/launch/environment.ts';
import { freePort } from '../scripts/launch/free-port.ts';
import { type Stack, startStack } from '../scripts/launch/stack.ts';
import { makeCrowd } from '../testing/crowd.ts';
import { quantile } from '../testing/pixel-clock.ts';
import { countRoundTrips } from '../testing/round-trips.ts';
import { type Server, startServer } from '../testing/server.ts';
import { createLoad, type Wish } from './api/load.ts';
import type { Bench } from './main.ts';
import { bars, histogram } from './plot.ts';

const people = 2_000;
const liveStreams = 200;
const clients = 32;
const rounds = 5;
const roundMs = 2_500;
/** Of the steady part, where everybody has a connection of their own that is there before the first second counts. */
const steadyClients = 256;
const steadySeconds = 10;
const warmSeconds = 1;
const countedReads = 200;
const streamsAsked = 24;

type Read = 'wallet' | 'live';
const reads: readonly Read[] = ['wallet', 'live'];
const say = (text: string) => console.error(text);
const median = (values: readonly number[]) => quantile(values, 0.5);
const rounded = (value: number) => Number(value.toFixed(2));

export const api: Bench = {
  name: 'api',
  summary: 'what a wallet read and the live list cost on Node, Bun and workerd, beside Express',
  async run() {
    const dataDir = await mkdtemp(join(tmpdir(), 'livepanty-bench-'));
    const stack = await startStack({
      dataDir,
      ports: 'free',
      withClient: false,
      // With what stands in for Neon's HTTP, which workerd needs.
      env: { ...process.env, LIVEPANTY_EDGE: 'workerd', LOG_LEVEL: 'error' },
    });
    try {
      return await measure(stack);
    } finally {
      await stack.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  },
};

async function measure(stack: Stack) {
  const crowd = await makeCrowd(stack.urls.databaseOwner, {
    viewers: people,
    performers: liveStreams,
    tokens: 1_000,
  });
  const signer = await createSigner(JSON.stringify(stack.secrets.signingKeys), () => new Date());
  const tokens = await Promise.all(
    crowd.viewerIds.map((userId, index) =>
      signer.accessToken({
        userId,
        username: `reader${index}`,
        role: 'viewer',
        sessionId: randomUUID(),
        revision: 0,
        secondFactorAt: null,
      }),
    ),
  );
  const wishes: Record<Read, () => Wish> = {
    wallet: () => ({
      path: '/v1/wallet',
      token: tokens[Math.floor(Math.random() * tokens.length)]?.token ?? '',
    }),
    live: () => ({ path: `/v1/streams?limit=${streamsAsked}`, token: null }),
  };
  const keys = JSON.stringify(signer.publicKeys().keys);
  const roundTrips = await countReads(stack, wishes);
  say(`round trips a read: ${JSON.stringify(roundTrips)}`);
  const servers = await startServers(stack, keys);
  try {
    const samples = await inTurn(servers, wishes);
    const perCpuSecond = Object.fromEntries(
      [...samples].map(([name, { perCpu }]) => [name, Math.round(median(perCpu))]),
    );
    say(bars('reads per CPU-second (medians)', perCpuSecond));
    const ratioOf = (server: string, read: Read) => {
      const ours = samples.get(`${server} ${read}`)?.perCpu ?? [];
      const peer = samples.get(`express ${read}`)?.perCpu ?? [];
      // Round by round, so that a slow moment of the machine is not a difference.
      return rounded(median(ours.map((value, index) => value / (peer[index] ?? value))));
    };
    const p99 = await atHalf(servers, samples, wishes);
    const [wallet, live] = [ratioOf('node', 'wallet'), ratioOf('node', 'live')];
    return {
      ratios: {
        nodeToExpress: Math.min(wallet, live),
        walletNodeToExpress: wallet,
        liveNodeToExpress: live,
      },
      figures: { ...p99, ...roundTrips, perCpuSecond },
    };
  } finally {
    for (const server of servers) await server.stop();
  }
}

async function startServers(stack: Stack, publicKeys: string): Promise<Server[]> {
  const { neonFetchEndpoint } = stack.urls;
  const env = {
    ...edgeEnvironment(stack.settings, stack.secrets, stack.urls),
    ...(neonFetchEndpoint ? { NEON_FETCH_ENDPOINT: neonFetchEndpoint } : {}),
    LOG_LEVEL: 'error',
  };
  const servers: Server[] = [];
  for (const runtime of ['node', 'bun', 'workerd'] as const) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    say(`${runtime} at ${url}`);
    servers.push(await startServer(runtime, url, edgeCommand(runtime, port, env)));
  }
  const port = await freePort();
  const express = serverCommand('bench/api/express.ts', {
    PORT: String(port),
    DATABASE_URL: stack.urls.database,
    PUBLIC_KEYS: publicKeys,
    NODE_ENV: 'production',
  });
  servers.push(await startServer('express', `http://127.0.0.1:${port}`, express));
  return servers;
}

interface Sample {
  perCpu: number[];
  perSecond: number[];
}

/** Every server with every read, round after round; the first one is for warming up. */
async function inTurn(
  servers: readonly Server[],
  wishes: Record<Read, () => Wish>,
): Promise<Map<string, Sample>> {
  const samples = new Map<string, Sample>();
  for (let round = 0; round <= rounds; round += 1) {
    for (const read of reads) {
      for (const server of servers) {
        const load = createLoad(server.url, clients);
        const before = await server.cpuSeconds();
        const { requests, seconds } = await load.closedLoop(wishes[read], clients, roundMs);
        const cpu = (await server.cpuSeconds()) - before;
        load.close();
        if (round === 0) continue;
        const name = `${server.name} ${read}`;
        const sample = samples.get(name) ?? { perCpu: [], perSecond: [] };
        sample.perCpu.push(requests / cpu);
        sample.perSecond.push(requests / seconds);
        samples.set(name, sample);
        say(
          `round ${round} of ${rounds}: ${name}: ${Math.round(requests / seconds)}/s, ${Math.round(requests / cpu)} a CPU-second`,
        );
      }
    }
  }
  return samples;
}

/** Delays on Node at half of what it can do. */
async function atHalf(
  servers: readonly Server[],
  samples: Map<string, Sample>,
  wishes: Record<Read, () => Wish>,
): Promise<{ p99MsAtHalf: number; p50MsAtHalf: number }> {
  const node = servers.find(({ name }) => name === 'node');
  if (!node) throw new Error('no server on Node');
  const load = createLoad(node.url, steadyClients);
  const delays: number[] = [];
  for (const read of reads) {
    const perSecond = Math.round(median(samples.get(`node ${read}`)?.perSecond ?? []) / 2);
    await load.steady(wishes[read], perSecond, warmSeconds);
    const measured = await load.steady(wishes[read], perSecond, steadySeconds);
    say(histogram(`${read} on Node at ${perSecond}/s`, measured));
    delays.push(...measured);
  }
  load.close();
  return {
    p99MsAtHalf: rounded(quantile(delays, 0.99)),
    p50MsAtHalf: rounded(quantile(delays, 0.5)),
  };
}

/** Round trips between an API of its own and the database, which nothing else there uses. */
async function countReads(stack: Stack, wishes: Record<Read, () => Wish>) {
  const counter = await countRoundTrips(stack.urls.database);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = edgeEnvironment(stack.settings, stack.secrets, stack.urls);
  const server = await startServer(
    'counted',
    url,
    edgeCommand('node', port, { ...env, DATABASE_URL: counter.url }),
  );
  const load = createLoad(url, clients);
  try {
    for (const read of reads) await load.send(wishes[read]());
    counter.take();
    for (let index = 0; index < countedReads; index += 1) {
      for (const read of reads) await load.send(wishes[read]());
    }
    const oneByOne = counter.take() / (countedReads * reads.length);
    await Promise.all(
      Array.from({ length: countedReads }, () =>
        Promise.all(reads.map((read) => load.send(wishes[read]()))),
      ),
    );
    return {
      roundTripsPerRead: oneByOne,
      roundTripsPerReadUnderLoad: rounded(counter.take() / (countedReads * reads.length)),
    };
  } finally {
    load.close();
    await server.stop();
    await counter.close();
  }
}
