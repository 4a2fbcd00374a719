// Kills: of media workers and of whole nodes, and the orderly end of one, with everybody watching.
import type { Viewer } from './audience.ts';
import type { Hall } from './hall.ts';
import type { Node } from './product.ts';
import { measureRecovery, type Recovery, untilSteady } from './recovery.ts';
import type { Report } from './report.ts';

const workerP95MsMax = 3_000;
const nodeP95MsMax = 8_000;
const drainP95MsMax = 1_000;

export async function proveKills(hall: Hall, report: Report): Promise<void> {
  const { viewers, publisher } = hall;
  const { streamId } = publisher.performer;

  function judge(name: string, recovery: Recovery, p95MsMax: number): void {
    report.note(name, { ...recovery });
    report.hold(`${name}: p95 of the gap in ms`, recovery.p95Ms, p95MsMax);
    report.hold(`${name}: viewers lost`, recovery.lost, 0);
  }

  async function prove(name: string, p95MsMax: number, breakIt: () => Promise<void>) {
    await untilSteady(viewers);
    const recovery = await measureRecovery(viewers, breakIt);
    judge(name, recovery, p95MsMax);
    if (recovery.affected === 0 && p95MsMax > drainP95MsMax)
      report.fault(`${name}: nobody noticed`);
  }

  const home = await hall.home();
  const other = await hall.other();
  await prove('worker with a copy', workerP95MsMax, async () => {
    await killWorker(home, streamId, (index, homeIndex) => index !== homeIndex);
  });
  await prove('home worker', workerP95MsMax, async () => {
    await killWorker(home, streamId, (index, homeIndex) => index === homeIndex);
  });
  await prove('home worker of the other node', workerP95MsMax, async () => {
    await killWorker(other, streamId, (index, homeIndex) => index === homeIndex);
  });

  for (const name of [
    'drain of the node with viewers',
    'drain of the node with the host',
  ] as const) {
    const node = name.endsWith('host') ? await hall.home() : await hall.other();
    await prove(name, drainP95MsMax, () => node.drain());
    await node.start();
    await comeBack(viewers, node);
  }
  for (const name of ['node with viewers', 'node with the host'] as const) {
    const node = name.endsWith('host') ? await hall.home() : await hall.other();
    await prove(name, nodeP95MsMax, () => node.kill());
    await node.start();
    await comeBack(viewers, node);
  }
}

async function killWorker(
  node: Node,
  streamId: string,
  isWanted: (index: number, home: number) => boolean,
): Promise<void> {
  const { rooms, workers } = await node.stats();
  const home = rooms.find((room) => room.streamId === streamId)?.worker ?? null;
  if (home === null) throw new Error(`${node.place.nodeId} has no media of the stream`);
  const wanted = workers.find(({ index, viewers, pid }) => {
    return pid !== null && viewers > 0 && isWanted(index, home);
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
