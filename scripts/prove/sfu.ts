// `npm run prove:sfu`: two SFU nodes on machines of their own in network namespaces, a hundred people who watch, and
// everything that may die, be cut off or go bad: who notices it, and for how long.
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Receivers } from '../../testing/receivers/receivers.ts';
import { proveBadLine } from './sfu/bad-line.ts';
import { openHall } from './sfu/hall.ts';
import { proveDrains, proveNodes, proveQuiet, proveWorkers } from './sfu/kills.ts';
import { layNetworks } from './sfu/machines.ts';
import { provePartition } from './sfu/partition.ts';
import { provePublisherPaths, proveViewerPaths } from './sfu/paths.ts';
import { makePeople } from './sfu/people.ts';
import { enterPrivateNetwork } from './sfu/private-network.ts';
import { places, startProduct } from './sfu/product.ts';
import { createReport } from './sfu/report.ts';
import { proveSwitch, switchPeople } from './sfu/switch.ts';
import { proveVanishing } from './sfu/vanish.ts';

const inHall = ['workers', 'drains', 'nodes', 'partition'] as const;
const inBrowsers = ['bad-line', 'paths', 'vanish'] as const;
const proofs = [...inHall, 'switch', ...inBrowsers] as const;
type ProofName = (typeof proofs)[number];
/** Of each way of stopping somebody. */
const switchRepetitions = 20;
/** Of each change of a path. */
const pathRepetitions = 20;
const vanishRepetitions = 6;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: proofs.join(',') },
    viewers: { type: 'string', default: '100' },
    verbose: { type: 'boolean', default: false },
  },
});
const wanted = new Set<string>(values.only.split(','));
const viewers = Number(values.viewers);
if (!Number.isSafeInteger(viewers) || [...wanted].some((name) => !proofs.some((p) => p === name))) {
  console.error(
    `npm run prove:sfu -- [--only ${proofs.join(',')}] [--viewers <how many>] [--verbose]`,
  );
  process.exit(2);
}

await enterPrivateNetwork();
const beganAtMs = performance.now();
const report = createReport();
layNetworks();
console.error(`load average ${loadavg().map((load) => load.toFixed(1))}; the product starts`);
const product = await startProduct({
  viewers,
  withClient: inBrowsers.some((name) => wanted.has(name)),
  onLine(part, line) {
    if (values.verbose) console.error(`  ${part}: ${line}`);
  },
});
let ending = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (ending) return;
    ending = true;
    product.close().finally(() => process.exit(130));
  });
}
const receivers = await Receivers.start('AEAD_AES_128_GCM');
try {
  const people = await makePeople(product, {
    viewers: viewers + 3 * places.length + switchRepetitions * switchPeople.viewers,
    performers: 1 + switchRepetitions * switchPeople.performers,
  });
  const scene = { product, people, receivers, report };
  if (inHall.some((name) => wanted.has(name))) {
    const hall = await openHall(product, people, receivers, viewers);
    await proveQuiet({ hall, report });
    await prove('workers', () => proveWorkers({ hall, report }));
    await prove('drains', () => proveDrains({ hall, report }));
    await prove('nodes', () => proveNodes({ hall, report }));
    await prove('partition', () => provePartition({ ...scene, hall }));
    hall.close();
  }
  await prove('switch', () => proveSwitch(scene, switchRepetitions));
  await prove('bad-line', () => proveBadLine(scene));
  await prove('paths', async () => {
    await proveViewerPaths(scene, pathRepetitions);
    await provePublisherPaths(scene, pathRepetitions);
  });
  await prove('vanish', () => proveVanishing(scene, vanishRepetitions));
} finally {
  await receivers.close();
  await product.close();
}

/** One that breaks off is a fault, and the others go on. */
async function prove(name: ProofName, work: () => Promise<void>): Promise<void> {
  if (!wanted.has(name)) return;
  await work().catch((error: Error) => report.fault(`${name}: ${error.stack ?? error.message}`));
}

const { faults, figures } = report;
console.log(
  JSON.stringify({
    prove: 'sfu',
    viewers,
    seconds: Math.round((performance.now() - beganAtMs) / 1_000),
    ...figures,
    faults,
  }),
);
process.exit(faults.length > 0 ? 1 : 0);
