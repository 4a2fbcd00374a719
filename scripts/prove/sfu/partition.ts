// The partition: both nodes are cut off from Redis for a minute. Whoever watches goes on watching, what is revoked is
// heard by way of the edge, and afterwards everything is as before.
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs, type Receivers } from '../../../testing/receivers/receivers.ts';
import { type Viewer, watch } from './audience.ts';
import type { Hall } from './hall.ts';
import type { People } from './people.ts';
import { type Product, places } from './product.ts';
import { untilReady } from './ready.ts';
import { measureRecovery, untilSteady } from './recovery.ts';
import type { Report } from './report.ts';

const cutMs = 60_000;
const gapMsMax = 1_000;
/** Nodes report every two seconds, and hear then what Redis did not tell. */
const revokedMsMax = 5_000;
const revokedAgainMsMax = 2_000;
const readyMsMax = 15_000;
/** After the answer it is looked for so long whether more comes. */
const watchedMs = 6_000;

export async function provePartition(
  { product, people, receivers, hall, report }: PartitionScene,
  seconds = cutMs / 1_000,
): Promise<void> {
  const { performer } = hall.publisher;
  const strangers = places.map(({ country }) =>
    watch(people.nextViewer(country), performer.streamId, receivers, { keeps: true }),
  );
  await untilSteady([...hall.viewers, ...strangers]);
  const { redisPort } = product;
  const rules = { input: [`tcp sport ${redisPort} drop`], output: [`tcp dport ${redisPort} drop`] };
  let revokedMs = 0;
  const recovery = await measureRecovery(hall.viewers, async () => {
    const endsAtMs = monotonicMs() + seconds * 1_000;
    for (const { machine } of product.nodes) machine.setRules(rules);
    // By then they know that they hear nothing.
    await delay((endsAtMs - monotonicMs()) / 2);
    revokedMs = await banTime(hall, strangers);
    await delay(endsAtMs - monotonicMs());
    for (const { machine } of product.nodes) machine.setRules({});
  });
  const healedAtMs = monotonicMs();
  await Promise.all(product.nodes.map((node) => untilReady(node.url, 2 * readyMsMax)));
  const readyMs = Math.round(monotonicMs() - healedAtMs);
  const newcomers = places.map(({ country }) =>
    watch(people.nextViewer(country), performer.streamId, receivers, { keeps: true }),
  );
  const pictures = await untilSteady(newcomers);
  const revokedAgainMs = await banTime(hall, newcomers);
  for (const viewer of [...strangers, ...newcomers]) viewer.close();

  const joined = pictures.filter((spells) => spells.length > 0).length;
  report.note('partition', { ...recovery, revokedMs, readyMs, joined, revokedAgainMs });
  report.hold('partition: longest gap in ms', recovery.maxMs, gapMsMax);
  report.hold('partition: a ban during it, in ms', revokedMs, revokedMsMax);
  report.hold('partition: nodes ready after it, in ms', readyMs, readyMsMax);
  report.hold('partition: newcomers without a picture', newcomers.length - joined, 0);
  report.hold('partition: a ban after it, in ms', revokedAgainMs, revokedAgainMsMax);
}

export interface PartitionScene {
  product: Product;
  people: People;
  receivers: Receivers;
  hall: Hall;
  report: Report;
}

/** Bans these viewers from the stream, and answers how long after it the last of them got a packet. */
async function banTime(hall: Hall, viewers: readonly Viewer[]): Promise<number> {
  const { performer } = hall.publisher;
  for (const { person } of viewers) {
    const body = { kind: 'banned', minutes: null };
    await performer.call('PUT', `/streams/${performer.streamId}/bans/${person.id}`, body);
  }
  const answeredAtMs = monotonicMs();
  await delay(watchedMs);
  const ends = await Promise.all(
    viewers.map(async (viewer) => Math.max(...(await viewer.spells()).map(({ toMs }) => toMs))),
  );
  return Math.round(Math.max(0, Math.max(...ends) - answeredAtMs));
}
