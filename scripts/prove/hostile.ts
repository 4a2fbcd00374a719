// `npm run prove:hostile`: a million fuzzed frames and ten thousand malformed packets a second against one node, while
// others watch. It must not crash, log a fault of its own, grow, or lose more than one packet in a hundred for them.
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { runHostile } from './hostile/hostile-run.ts';

const quietSeconds = 10;

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
});
const size = {
  frames: Number(values.frames),
  seconds: Number(values.seconds),
  packetsPerSecond: Number(values.rate),
  seed: Number(values.seed),
  quietSeconds,
};
if (!Object.values(size).every(Number.isSafeInteger)) {
  console.error(
    'npm run prove:hostile -- [--frames <how many>] [--seconds <of packets>] [--rate <packets a second>] [--seed <n>]',
  );
  process.exit(2);
}
const result = await runHostile(size, console.error, (text) => {
  // One line that is written over.
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
});
const isSlow = result.packetsPerSecond < size.packetsPerSecond * 0.95;
if (isSlow) result.faults.push(`only ${result.packetsPerSecond} packets a second went out`);
console.log(JSON.stringify({ prove: 'hostile', ...result, load: loadavg()[0] }));
process.exitCode = result.faults.length > 0 ? 1 : 0;
