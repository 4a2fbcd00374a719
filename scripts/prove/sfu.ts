// `npm run prove:sfu`: two SFU nodes on machines of their own in network namespaces, a hundred people who watch, and
// everything that may die, be cut off or go bad: who notices it, and for how long.
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Receivers } from '../../testing/receivers/receivers.ts';
import { openHall } from './sfu/hall.ts';
import { proveDrains, proveNodes, proveQuiet, proveWorkers } from './sfu/kills.ts';
import { layNetworks } from './sfu/machines.ts';
import { makePeople } from './sfu/people.ts';
import { enterPrivateNetwork } from './sfu/private-network.ts';
import { startProduct } from './sfu/product.ts';
import { createReport } from './sfu/report.ts';

const proofs = ['workers', 'drains', 'nodes'] as const;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: proofs.join(',') },
    viewers: { type: 'string', default: '100' },
    verbose: { type: 'boolean', default: false },
  },
});
const wanted = new Set(values.only.split(','));
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
  withClient: false,
  onLine(part, line) {
    if (values.verbose) console.error(`  ${part}: ${line}`);
  },
});
const receivers = await Receivers.start('AEAD_AES_128_GCM');
try {
  const people = await makePeople(product, { viewers: viewers + 60, performers: 60 });
  const hall = await openHall(product, people, receivers, viewers);
  await proveQuiet({ hall, report });
  if (wanted.has('workers')) await proveWorkers({ hall, report });
  if (wanted.has('drains')) await proveDrains({ hall, report });
  if (wanted.has('nodes')) await proveNodes({ hall, report });
  hall.close();
} finally {
  await receivers.close();
  await product.close();
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
