// The product under proof: edge, PostgreSQL, Redis and jobs as the launcher runs them, and SFU nodes on machines.
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SfuStats } from '#contract';
import { type SfuNode, startSfuNode } from '../../../testing/sfu-node.ts';
import { type StackUrls, stackUrls } from '../../launch/environment.ts';
import { planParts } from '../../launch/parts.ts';
import { freePorts, portVariable } from '../../launch/ports.ts';
import { loadSecrets, type Secrets } from '../../launch/secrets.ts';
import { readSettings } from '../../launch/settings.ts';
import { forgetData } from '../../launch/stack.ts';
import { Supervisor } from '../../launch/supervisor.ts';
import { type Forwarder, forward } from './forwarder.ts';
import { addMachine, hostAddress, type Machine } from './machines.ts';

/** Headers by which the edge is told who asks, as by a proxy in front of it. */
export const addressHeader = 'x-proof-address';
export const countryHeader = 'x-proof-country';

const partNames = ['postgres', 'redis', 'upstash-proxy', 'mailbox', 'edge', 'jobs'];
const nodePort = 4_400;
export const mediaPort = 44_400;
export const workers = 2;
/** Of all viewers: two workers take them all, so that either node can, and none of them does alone. */
const workerShare = 0.8;
const drainSeconds = 30;

/** The two nodes stand in two countries, so that people are spread by where they are. */
export const places = [
  { nodeId: 'sfu-a', country: 'DE', last: 2 },
  { nodeId: 'sfu-b', country: 'IN', last: 3 },
] as const;
export type Place = (typeof places)[number];

/** An SFU node on a machine of its own, which can be started anew. */
export interface Node {
  place: Place;
  machine: Machine;
  /** Of its HTTP. */
  url: string;
  stats(): Promise<SfuStats>;
  /** Its orderly end; everybody is sent to the other node before. */
  drain(): Promise<void>;
  /** The whole machine is gone. */
  kill(): Promise<void>;
  /** Starts it anew after either. */
  start(env?: Record<string, string>): Promise<void>;
}

export interface Product {
  urls: StackUrls;
  secrets: Secrets;
  nodes: readonly [Node, Node];
  redisPort: number;
  close(): Promise<void>;
}

export async function startProduct({
  viewers,
  withClient,
  onLine,
}: {
  /** How many watch at once. */
  viewers: number;
  withClient: boolean;
  onLine: (part: string, line: string) => void;
}): Promise<Product> {
  const dataDir = await mkdtemp(join(tmpdir(), 'livepanty-sfu-'));
  // The user that PostgreSQL runs as must be able to walk through.
  await chmod(dataDir, 0o755);
  await mkdir(join(dataDir, 'redis'));
  const ports = Object.entries(await freePorts()).map(([name, port]) => [
    portVariable(name as Parameters<typeof portVariable>[0]),
    String(port),
  ]);
  const settings = readSettings({
    ...process.env,
    ...Object.fromEntries(ports),
    LIVEPANTY_EDGE: 'node',
    LIVEPANTY_SFU_NODES: '2',
    LOG_LEVEL: 'error',
  });
  const secrets = await loadSecrets(dataDir);
  const socketUrls = places.map(({ last }) => `ws://10.77.0.${last}:${nodePort}/room`);
  const urls: StackUrls = {
    ...stackUrls(settings, secrets),
    sfuSocket: socketUrls[0] ?? '',
    sfu2Socket: socketUrls[1] ?? '',
  };
  const { parts, steps } = planParts({
    settings,
    secrets,
    urls,
    dataDir,
    disposable: true,
    withClient,
    onAccounts: () => undefined,
  });
  const supervisor = Supervisor.create({
    parts: parts
      .filter(({ name }) => partNames.includes(name))
      .map((part) => (part.name === 'edge' ? edgeOf(part) : part)),
    steps,
  });
  supervisor.on('line', onLine);
  const forwarders: Forwarder[] = [];
  const nodes: (Node & { close(): Promise<void> })[] = [];
  async function close(): Promise<void> {
    await Promise.all(nodes.map((node) => node.close()));
    for (const forwarder of forwarders) forwarder.close();
    await supervisor.close();
    await forgetData(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  }
  try {
    await supervisor.start();
    const redisPort = settings.ports.redis;
    const here = { address: '127.0.0.1' };
    for (const port of [redisPort, settings.ports.edge]) {
      forwarders.push(await forward({ address: hostAddress, port }, { ...here, port }));
    }
    const atHost = (url: string) => url.replace('127.0.0.1', hostAddress);
    for (const place of places) {
      const machine = await addMachine(place.nodeId, place.last);
      const node = createNode(place, machine, {
        edgeUrl: atHost(urls.edge),
        redisUrl: atHost(urls.redis),
        secret: secrets.nodeSecret,
        origins: urls.app,
        viewersPerWorker: Math.ceil(viewers * workerShare),
        onLine,
      });
      nodes.push(node);
      await node.start();
    }
    const [a, b] = nodes;
    if (!a || !b) throw new Error('there are two nodes');
    return { urls, secrets, nodes: [a, b], redisPort, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** It believes this process on where its callers are. */
function edgeOf(part: ReturnType<typeof planParts>['parts'][number]): typeof part {
  return {
    ...part,
    async command() {
      const command = await part.command();
      const env = {
        CLIENT_ADDRESS_HEADER: addressHeader,
        CLIENT_COUNTRY_HEADER: countryHeader,
        TRUSTED_PROXIES: '127.0.0.1',
      };
      return { ...command, env: { ...command.env, ...env } };
    },
  };
}

function createNode(
  place: Place,
  machine: Machine,
  options: {
    edgeUrl: string;
    redisUrl: string;
    secret: string;
    origins: string;
    viewersPerWorker: number;
    onLine: (part: string, line: string) => void;
  },
): Node & { close(): Promise<void> } {
  let running: SfuNode | null = null;
  const authorization = `Bearer ${options.secret}`;
  const url = `http://${machine.address}:${nodePort}`;
  return {
    place,
    machine,
    url,
    async stats() {
      const answer = await fetch(`${url}/stats`, { headers: { authorization } });
      return SfuStats.parse(await answer.json());
    },
    async start(env = {}) {
      running = await startSfuNode({
        nodeId: place.nodeId,
        edgeUrl: options.edgeUrl,
        redisUrl: options.redisUrl,
        address: machine.address,
        port: nodePort,
        workers,
        env: {
          NODE_SECRET: options.secret,
          CLIENT_ORIGINS: options.origins,
          SFU_COUNTRY: place.country,
          SFU_VIEWERS_PER_WORKER: String(options.viewersPerWorker),
          SFU_DRAIN_SECONDS: String(drainSeconds),
          SFU_MEDIA_PORT: String(mediaPort),
          SFU_MEDIA_LISTEN_ADDRESS: machine.mediaAddress,
          SFU_PIPE_LISTEN_ADDRESS: machine.address,
          ...env,
        },
        wrap: (command) => ({
          ...machine.wrap(command),
          stopTimeoutMs: (drainSeconds + 10) * 1_000,
        }),
        onLine: (line) => options.onLine(place.nodeId, line),
      });
    },
    async drain() {
      await running?.stop();
      running = null;
    },
    async kill() {
      await running?.kill();
      running = null;
    },
    async close() {
      await running?.kill();
      machine.close();
    },
  };
}
