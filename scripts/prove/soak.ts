// `npm run prove:soak -- --minutes 20`: twelve hours of joins, leaves, publishes and kills, condensed. After each hour all
// leave; what two nodes then hold of memory, files and sockets must not grow from hour to hour.
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SfuStats } from '#contract';
import { inspected, liveHeapMiB } from '../../testing/live-heap.ts';
import { childrenOf, processFigures } from '../../testing/process-figures.ts';
import { Receivers } from '../../testing/receivers/receivers.ts';
import { startRedis } from '../../testing/redis.ts';
import {
  isFaultLine,
  type SfuNode,
  startSfuNode,
  startTestEdge,
  withSecret,
} from '../../testing/sfu-node.ts';
import { freePort } from '../launch/free-port.ts';
import { anyOf, seededRandom } from './random.ts';
import { emptyTally, liveOnce } from './soak/lives.ts';

const hours = 12;
const roomsAtATime = 12;
const workersPerNode = 2;
/** In each hour so many workers are killed. */
const killsPerHour = 3;
/** After an hour so much time passes until all that lingers has ended. */
const restMs = 12_000;
const tidyWithinMs = 30_000;
/** The hour after which a node has all that it needs. */
const settledHour = 3;
const grownHeapMiBMax = 8;
const workerMiBMax = 200;
/** Of both nodes together: a connection to Redis or a worker may just be made anew. */
const grownFilesMax = 8;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (!(minutes > 0 && Number.isSafeInteger(seed))) {
  console.error('npm run prove:soak -- [--minutes <how long>] [--seed <n>]');
  process.exit(2);
}

interface Hour {
  hour: number;
  joins: number;
  /** What the two nodes keep in their heaps, after a collection. */
  heapMiB: number;
  /** All that is resident, of nodes and workers. */
  memoryMiB: number;
  /** Of the largest worker. */
  workerMiB: number;
  files: number;
  sockets: number;
}

const random = seededRandom(seed);
const tally = emptyTally();
const faults: string[] = [];
const atRest: Hour[] = [];
let kills = 0;

const [edge, redis] = await Promise.all([startTestEdge(), startRedis()]);
const nodes: SfuNode[] = [];
const inspectors: number[] = [];
try {
  for (const nodeId of ['sfu-a', 'sfu-b']) {
    const inspector = await freePort();
    inspectors.push(inspector);
    nodes.push(
      await startSfuNode({
        nodeId,
        edgeUrl: edge.url,
        redisUrl: redis.url,
        workers: workersPerNode,
        wrap: (command) => inspected(command, inspector),
        onLine: (line) => {
          // That a worker has died is what we want to be told of; nothing else is a fault of ours.
          if (isFaultLine(line) && !line.includes('a media worker died')) faults.push(line);
        },
      }),
    );
  }
  for (let hour = 1; hour <= hours; hour += 1) {
    await passHour((minutes * 60_000) / hours - restMs);
    await untilEmpty();
    const figures = await look();
    atRest.push({ hour, joins: tally.joins, ...figures });
    console.error(
      `hour ${String(hour).padStart(2)}: ${tally.rooms} rooms, ${tally.joins} joins, ${tally.disturbed} disturbed, ` +
        `${kills} kills; at rest ${figures.heapMiB} MiB in the heaps, ${figures.workerMiB} MiB in a worker, ${figures.files} files`,
    );
  }
  judge();
  console.log(
    JSON.stringify({ prove: 'soak', minutes, ...tally, kills, atRest, load: loadavg()[0], faults }),
  );
} finally {
  for (const node of nodes) await node.stop();
  await Promise.all([edge.close(), redis.stop()]);
}
process.exitCode = faults.length > 0 ? 1 : 0;

async function passHour(lengthMs: number): Promise<void> {
  const receivers = await Receivers.start('AEAD_AES_128_GCM');
  const endsAtMs = performance.now() + Math.max(lengthMs, 1_000);
  const world = { nodes, edge, receivers, random };
  const rooms = Array.from({ length: roomsAtATime }, async () => {
    while (performance.now() < endsAtMs) await liveOnce(world, tally);
  });
  for (let kill = 0; kill < killsPerHour; kill += 1) {
    await delay(Math.max(lengthMs, 1_000) / (killsPerHour + 1));
    await killWorker();
  }
  await Promise.all(rooms);
  await receivers.close();
  await delay(restMs);
}

async function killWorker(): Promise<void> {
  const node = nodes[anyOf(random, nodes.length)];
  if (!node) return;
  const { workers } = await stats(node);
  const pid = workers[anyOf(random, workers.length)]?.pid;
  if (!pid) return;
  process.kill(pid, 'SIGKILL');
  kills += 1;
}

async function stats({ url }: SfuNode): Promise<SfuStats> {
  return SfuStats.parse(await (await fetch(`${url}/stats`, withSecret)).json());
}

async function untilEmpty(): Promise<void> {
  const deadline = performance.now() + tidyWithinMs;
  for (;;) {
    const all = await Promise.all(nodes.map(stats));
    const rooms = all.reduce((count, one) => count + one.rooms.length, 0);
    const sockets = all.reduce((count, one) => count + one.sockets, 0);
    const routers = all.flatMap(({ workers }) => workers).reduce((n, one) => n + one.routers, 0);
    if (rooms + sockets + routers === 0) return;
    if (performance.now() > deadline) {
      faults.push(`${rooms} rooms, ${sockets} sockets and ${routers} routers are left`);
      return;
    }
    await delay(250);
  }
}

async function look(): Promise<Omit<Hour, 'hour' | 'joins'>> {
  const all = await Promise.all(nodes.map(({ pid }) => processFigures(pid)));
  const workers = (await Promise.all(nodes.map(({ pid }) => childrenOf(pid)))).flat();
  const ofWorkers = await Promise.all(workers.map(processFigures));
  const heaps = await Promise.all(inspectors.map(liveHeapMiB));
  const sum = (values: readonly number[]) => Math.round(values.reduce((n, one) => n + one, 0));
  return {
    heapMiB: sum(heaps),
    memoryMiB: sum(all.map(({ memoryMiB }) => memoryMiB)),
    workerMiB: Math.max(...ofWorkers.map(({ memoryMiB }) => memoryMiB)),
    files: sum(all.map(({ files }) => files)),
    sockets: sum(all.map(({ sockets }) => sockets)),
  };
}

function judge(): void {
  const settled = atRest.find(({ hour }) => hour === settledHour);
  const last = atRest.at(-1);
  if (!settled || !last) return;
  const grownMiB = last.heapMiB - settled.heapMiB;
  const grownFiles = last.files - settled.files;
  if (grownMiB > grownHeapMiBMax) faults.push(`the heaps have grown by ${grownMiB} MiB`);
  const workerMiB = Math.max(...atRest.map((one) => one.workerMiB));
  if (workerMiB > workerMiBMax) faults.push(`a worker has ${workerMiB} MiB`);
  if (grownFiles > grownFilesMax) faults.push(`${grownFiles} files more are open`);
}
