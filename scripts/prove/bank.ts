// `npm run prove:bank -- --seeds 20`: the bank test, once for each seed, on the whole product with durable storage.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startStack } from '../launch/stack.ts';
import { type BankResult, runBank } from './bank-run.ts';

const size = { tips: 10_000, viewers: 200, performers: 20, clients: 64 };
const progressEvery = 500;

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '1' }, from: { type: 'string', default: '1' } },
});
const [seeds, from] = [Number(values.seeds), Number(values.from)];
if (!Number.isInteger(seeds) || seeds < 1 || !Number.isInteger(from)) {
  console.error('npm run prove:bank -- [--seeds <how many>] [--from <first seed>]');
  process.exit(2);
}

const dataDir = await mkdtemp(join(tmpdir(), 'livepanty-bank-'));
const stack = await startStack({
  dataDir,
  ports: 'free',
  withClient: false,
  env: { ...process.env, LIVEPANTY_EDGE: 'node', LOG_LEVEL: 'error' },
});
const results: BankResult[] = [];
try {
  for (let seed = from; seed < from + seeds; seed += 1) {
    const result = await runBank(stack, seed, size, (done) => {
      if (done % progressEvery === 0) show(`seed ${seed}: ${done} of ${size.tips} tips`);
    });
    results.push(result);
    // Its deaths were planned, and count for nothing in the next seed.
    await stack.restart('edge');
    const { accepted, refused, sentTwice, answersLost, retries, kills, seconds, faults } = result;
    show('');
    console.error(
      `seed ${String(seed).padStart(3)}: ${faults.length === 0 ? 'right' : 'WRONG'}; ${accepted} tips, ${refused} refused, ` +
        `${sentTwice} sent twice, ${answersLost} answers lost, ${kills} kills, ${retries} retries, ${seconds} s`,
    );
    for (const fault of faults.slice(0, 10)) console.error(`  ${fault}`);
  }
} finally {
  await stack.stop();
  await rm(dataDir, { recursive: true, force: true });
}
const total = (of: (result: BankResult) => number) =>
  results.reduce((sum, result) => sum + of(result), 0);
const faults = total((result) => result.faults.length);
console.log(
  JSON.stringify({
    prove: 'bank',
    seeds: results.length,
    tips: total((result) => result.accepted + result.refused),
    accepted: total((result) => result.accepted),
    sentTwice: total((result) => result.sentTwice),
    answersLost: total((result) => result.answersLost),
    kills: total((result) => result.kills),
    retries: total((result) => result.retries),
    faults,
  }),
);
process.exitCode = faults > 0 ? 1 : 0;

/** One line that is written over. */
function show(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
}
