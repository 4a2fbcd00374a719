// Kills: of media workers and of whole nodes, and the orderly end of one, with everybody watching.
import type { Viewer } from './audience.ts';
import type { Hall } from './hall.ts';
import type { Node } from './product.ts';
import { measureRecovery, type Recovery, untilSteady } from './recovery.ts';
import type { Report } from './report.ts';

const workerP95MsMax = 3_000;
const nodeP95MsMax = 8_000;
const drainP95MsMax = 1_000;

interface Scene {
  hall: Hall;
  report: Report;
}

export async function proveWorkers({ hall, report }: Scene): Promise<void> {
  const { streamId } = hall.publisher.performer;
  const [home, other] = [await hall.home(), await hall.other()];
  const kills = [
    { name: 'copy worker', node: home, isHome: false },
    { name: 'home worker', node: home, isHome: true },
    { name: 'worker of the other node', node: other, isHome: true },
  ];
  for (const { name, node, isHome } of kills) {
    const recovery = await recover({ hall, report }, name, workerP95MsMax, () =>
      killWorker(node, streamId, isHome),
    );
    if (recovery.affected === 0) report.fault(`${name}: nobody noticed`);
  }
}

/** What the machine makes of it while nothing happens. */
export async function proveQuiet({ hall, report }: Scene): Promise<void> {
  await untilSteady(hall.viewers);
  report.note('quiet', { ...(await measureRecovery(hall.viewers, async () => undefined)) });
}

/** Of a node for a new version of it: first where viewers are alone, then where the host is as well. */
export async function proveDrains({ hall, report }: Scene): Promise<void> {
  for (const isHome of [false, true]) {
    const node = isHome ? await hall.home() : await hall.other();
    const name = `drain, ${isHome ? 'host' : 'viewers'}`;
    await recover({ hall, report }, name, drainP95MsMax, () => node.drain());
    await node.start();
    await comeBack(hall.viewers, node);
  }
}

export async function proveNodes({ hall, report }: Scene): Promise<void> {
  for (const isHome of [false, true]) {
    const node = isHome ? await hall.home() : await hall.other();
    const name = `node, ${isHome ? 'host' : 'viewers'}`;
    const recovery = await recover({ hall, report }, name, nodeP95MsMax, () => node.kill());
    if (recovery.affected === 0) report.fault(`${name}: nobody noticed`);
    await node.start();
    await comeBack(hall.viewers, node);
  }
}

async function recover(
  { hall, report }: Scene,
  name: string,
  p95MsMax: number,
  breakIt: () => Promise<void>,
): Promise<Recovery> {
  await untilSteady(hall.viewers);
  const recovery = await measureRecovery(hall.viewers, breakIt);
  report.note(name, { ...recovery });
  report.hold(`${name}: p95 of the gap in ms`, recovery.p95Ms, p95MsMax);
  report.hold(`${name}: viewers lost`, recovery.lost, 0);
  return recovery;
}

async function killWorker(node: Node, streamId: string, isHome: boolean): Promise<void> {
  const { rooms, workers } = await node.stats();
  const home = rooms.find((room) => room.streamId === streamId)?.worker;
  const wanted = workers.find(({ index, viewers }) => {
    return viewers > 0 && (index === home) === isHome;
  });
  if (!wanted?.pid) throw new Error(`${node.place.nodeId} has no such worker with viewers`);
  process.kill(wanted.pid, 'SIGKILL');
}

/** Who is from the country of a node that is there again watches there from now on. */
async function comeBack(viewers: readonly Viewer[], node: Node): Promise<void> {
  const away = viewers.filter(({ person, nodeId }) => {
    return person.country === node.place.country && nodeId !== node.place.nodeId;
  });
  for (const { room } of away) room.link.rejoin();
  await untilSteady(viewers);
}
