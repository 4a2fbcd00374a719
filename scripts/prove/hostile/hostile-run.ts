// One node under attack while others watch: what they lose, what the node says, and what it keeps.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { SfuStats } from '#contract';
import { processFigures } from '../../../testing/process-figures.ts';
import { openPlainSource } from '../../../testing/receivers/plain-source.ts';
import { Receivers } from '../../../testing/receivers/receivers.ts';
import { startRedis } from '../../../testing/redis.ts';
import {
  isFaultLine,
  publishPlain,
  type SfuNode,
  startSfuNode,
  startTestEdge,
  watchRoom,
  withSecret,
} from '../../../testing/sfu-node.ts';
import { freePort } from '../../launch/free-port.ts';
import { seededRandom } from '../random.ts';
import { type AttackResult, attack } from './attackers.ts';
import { during, type Span } from './audience.ts';
import { flood } from './packets.ts';

const nodeId = 'sfu-hostile';
const viewers = 20;
const bitrateBps = 600_000;
const lostShareMax = 0.01;
/** So many of the frames come first, after which the node has all the memory that it needs, */
const warmUpShare = 0.1;
/** and may grow by no more, whatever follows. */
const grownMiBMax = 100;
/** What attackers have opened is gone so soon after them. */
const tidyWithinMs = 20_000;
const faultsKept = 20;

export interface HostileSize {
  frames: number;
  packetsPerSecond: number;
  seconds: number;
  /** Before it all, for comparison. */
  quietSeconds: number;
  seed: number;
}

export interface HostileResult {
  frames: number;
  framesPerSecond: number;
  sockets: number;
  answers: AttackResult['answers'];
  packets: number;
  packetsPerSecond: number;
  lostShare: { quiet: number; frames: number; packets: number };
  memoryMiB: { before: number; after: number };
  /** Everything that must not be. */
  faults: string[];
}

export async function runHostile(
  size: HostileSize,
  say: (text: string) => void,
  show: (text: string) => void,
): Promise<HostileResult> {
  const faults: string[] = [];
  const fault = (text: string) => {
    if (faults.length < faultsKept) faults.push(text);
  };
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
    // Whatever a stranger sends is no fault of ours; what we log as one is.
    onLine: (line) => void (isFaultLine(line) && fault(line)),
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
    const quiet = await during(receivers, () => delay(size.quietSeconds * 1_000));
    const workersBefore = await workerPids(node);

    const random = seededRandom(size.seed);
    const attackWith = (frames: number) =>
      attack({
        socketUrl: node.socketUrl,
        edge,
        nodeId,
        stream,
        random,
        frames,
        onProgress: (sent) => show(`${sent} of ${frames} frames`),
      });
    const judge = (what: string, { lostShare }: Span) => {
      say(`${what}: others have lost ${(lostShare * 100).toFixed(3)} %`);
      if (lostShare > lostShareMax) fault(`${what}: others have lost ${lostShare}`);
    };
    say(`${viewers} people watch; ${size.frames} frames follow`);
    const warmUp = await attackWith(Math.round(size.frames * warmUpShare));
    await untilTidy(node, fault);
    const { memoryMiB: before } = await processFigures(node.pid);
    const fuzzed = await during(receivers, () => attackWith(size.frames - warmUp.sent));
    show('');
    judge('fuzzed frames', fuzzed.span);
    if (fuzzed.result.hung > 0) fault(`${fuzzed.result.hung} sockets got no answer`);
    await untilTidy(node, fault);

    const { packetsPerSecond: perSecond, seconds } = size;
    say(`${perSecond} packets a second for ${seconds} s follow`);
    const flooded = await during(receivers, () =>
      flood({ port: mediaPort, perSecond, seconds, random }),
    );
    judge('malformed packets', flooded.span);
    const packetsPerSecond = Math.round(flooded.result / flooded.span.seconds);

    if ((await workerPids(node)) !== workersBefore) fault('a media worker has died');
    if (receivers.failures.length > 0) fault(`${receivers.failures.length} viewers were lost`);
    const { memoryMiB: after } = await processFigures(node.pid);
    if (after - before > grownMiBMax) fault(`the node has grown by ${after - before} MiB`);
    await source.close();
    return {
      frames: warmUp.sent + fuzzed.result.sent,
      framesPerSecond: Math.round(fuzzed.result.sent / fuzzed.span.seconds),
      sockets: warmUp.sockets + fuzzed.result.sockets,
      answers: fuzzed.result.answers,
      packets: flooded.result,
      packetsPerSecond,
      lostShare: {
        quiet: rounded(quiet.span.lostShare),
        frames: rounded(fuzzed.span.lostShare),
        packets: rounded(flooded.span.lostShare),
      },
      memoryMiB: { before, after },
      faults,
    };
  } finally {
    await node.stop();
    await Promise.all([receivers.close(), edge.close(), redis.stop()]);
  }
}

async function statsOf(node: SfuNode): Promise<SfuStats> {
  return SfuStats.parse(await (await fetch(`${node.url}/stats`, withSecret)).json());
}

async function workerPids(node: SfuNode): Promise<string> {
  return (await statsOf(node)).workers.map(({ pid }) => pid).join();
}

/** Of what the attackers have opened nothing is left but the room that was there before. */
async function untilTidy(node: SfuNode, fault: (text: string) => void): Promise<void> {
  const deadline = performance.now() + tidyWithinMs;
  for (;;) {
    const { rooms, sockets } = await statsOf(node);
    if (rooms.length === 1 && sockets === viewers + 1) return;
    if (performance.now() > deadline) {
      fault(`${rooms.length} rooms and ${sockets} sockets are left`);
      return;
    }
    await delay(250);
  }
}

function rounded(share: number): number {
  return Number(share.toFixed(5));
}
