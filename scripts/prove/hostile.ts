// `npm run prove:hostile`: a million fuzzed frames and ten thousand malformed packets a second against one node, while
// others watch. It must not crash, log a fault of its own, grow, or lose more than one packet in a hundred for them.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SfuStats } from '#contract';
import { freePort } from '../../testing/ports.ts';
import { openPlainSource } from '../../testing/receivers/plain-source.ts';
import { Receivers } from '../../testing/receivers/receivers.ts';
import { startRedis } from '../../testing/redis.ts';
import {
  publishPlain,
  startSfuNode,
  startTestEdge,
  watchRoom,
  withSecret,
} from '../../testing/sfu-node.ts';
import { attack } from './hostile/attackers.ts';
import { during, type Span } from './hostile/audience.ts';
import { flood } from './hostile/packets.ts';
import { seededRandom } from './random.ts';

const nodeId = 'sfu-hostile';
const viewers = 20;
const bitrateBps = 600_000;
const lostShareMax = 0.01;
/** A node that has served everybody may keep some of the memory that it needed. */
const grownMiBMax = 150;
/** What attackers have opened is gone so soon after them. */
const tidyWithinMs = 20_000;
const quietSeconds = 10;

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
});
const [frames, seconds, perSecond, seed] = [
  values.frames,
  values.seconds,
  values.rate,
  values.seed,
].map(Number) as [number, number, number, number];
if (![frames, seconds, perSecond, seed].every(Number.isSafeInteger)) {
  console.error(
    'npm run prove:hostile -- [--frames <how many>] [--seconds <of packets>] [--rate <packets a second>] [--seed <n>]',
  );
  process.exit(2);
}

const faults: string[] = [];
const [edge, redis, receivers] = await Promise.all([
  startTestEdge(),
  startRedis(),
  Receivers.start('AEAD_AES_128_GCM'),
]);
const mediaPort = await freePort();
const node = await startSfuNode({
  nodeId,
  edgeUrl: edge.url,
  redisUrl: redis.url,
  env: { SFU_MEDIA_PORT: String(mediaPort) },
  onLine: (line) => {
    // Whatever a stranger sends is no fault of ours; what we log as one is.
    if (/"level":(50|60|"error"|"fatal")/.test(line) && faults.length < 20) faults.push(line);
  },
});
try {
  const stream = randomUUID();
  const seat = async (capability: 'publish' | 'subscribe') => ({
    socketUrl: node.socketUrl,
    ticket: await edge.ticket({ stream, node: nodeId, capabilities: [capability] }),
    receivers,
  });
  const { port } = await publishPlain(await seat('publish'));
  const source = await openPlainSource({ audioPort: port, videoPort: port });
  source.start(bitrateBps);
  for (let count = 0; count < viewers; count += 1) {
    const { receiver, ssrcs } = await watchRoom(await seat('subscribe'));
    await receiver.firstPacket(ssrcs.video);
  }
  const quiet = await during(receivers, () => delay(quietSeconds * 1_000));
  const before = await memoryOf(node.pid);
  const workersBefore = (await stats()).workers.map(({ pid }) => pid);

  console.error(`${viewers} people watch; ${frames} frames follow`);
  const fuzzed = await during(receivers, () =>
    attack({
      socketUrl: node.socketUrl,
      edge,
      nodeId,
      stream,
      random: seededRandom(seed),
      frames,
      onProgress: (sent) => show(`${sent} of ${frames} frames`),
    }),
  );
  show('');
  judge('fuzzed frames', fuzzed.span);
  if (fuzzed.result.hung > 0) faults.push(`${fuzzed.result.hung} sockets got no answer`);
  await untilTidy();

  console.error(`${perSecond} packets a second for ${seconds} s follow`);
  const flooded = await during(receivers, () =>
    flood({ port: mediaPort, perSecond, seconds, random: seededRandom(seed + 1) }),
  );
  judge('malformed packets', flooded.span);
  const packetsPerSecond = Math.round(flooded.result / flooded.span.seconds);
  if (packetsPerSecond < perSecond * 0.95)
    faults.push(`only ${packetsPerSecond} packets a second went out`);

  const last = await stats();
  const workersAfter = last.workers.map(({ pid }) => pid);
  if (workersAfter.join() !== workersBefore.join()) faults.push('a media worker has died');
  if (receivers.failures.length > 0) faults.push(`${receivers.failures.length} viewers were lost`);
  const after = await memoryOf(node.pid);
  const grownMiB = Math.round(after - before);
  if (grownMiB > grownMiBMax) faults.push(`the node has grown by ${grownMiB} MiB`);
  await source.close();

  console.log(
    JSON.stringify({
      prove: 'hostile',
      frames: fuzzed.result.sent,
      framesPerSecond: Math.round(fuzzed.result.sent / fuzzed.span.seconds),
      sockets: fuzzed.result.sockets,
      answers: fuzzed.result.answers,
      packets: flooded.result,
      packetsPerSecond,
      lostShare: {
        quiet: rounded(quiet.span.lostShare),
        frames: rounded(fuzzed.span.lostShare),
        packets: rounded(flooded.span.lostShare),
      },
      memoryMiB: { before: Math.round(before), after: Math.round(after) },
      load: loadavg()[0],
      faults,
    }),
  );
} finally {
  await node.stop();
  await Promise.all([receivers.close(), edge.close(), redis.stop()]);
}
process.exitCode = faults.length > 0 ? 1 : 0;

function judge(what: string, { lostShare }: Span): void {
  console.error(`${what}: others have lost ${(lostShare * 100).toFixed(3)} %`);
  if (lostShare > lostShareMax) faults.push(`${what}: others have lost ${lostShare}`);
}

async function stats(): Promise<SfuStats> {
  return SfuStats.parse(await (await fetch(`${node.url}/stats`, withSecret)).json());
}

/** Of what the attackers have opened nothing is left but the room that was there before. */
async function untilTidy(): Promise<void> {
  const deadline = performance.now() + tidyWithinMs;
  for (;;) {
    const { rooms, sockets } = await stats();
    if (rooms.length === 1 && sockets === viewers + 1) return;
    if (performance.now() > deadline) {
      faults.push(`${rooms.length} rooms and ${sockets} sockets are left`);
      return;
    }
    await delay(250);
  }
}

/** Resident set of a process and its children, in MiB (proc(5)). */
async function memoryOf(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const pids = [pid, ...children.trim().split(/\s+/).filter(Boolean).map(Number)];
  const sizes = await Promise.all(
    pids.map(async (one) => {
      const status = await readFile(`/proc/${one}/status`, 'utf8').catch(() => '');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function rounded(share: number): number {
  return Number(share.toFixed(5));
}

/** One line that is written over. */
function show(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
}
