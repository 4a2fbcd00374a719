// Tests of how a media worker sends: whatever goes out together arrives, once and in order.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type Arrivals, type Burst, sendBurst } from '../testing/send-burst.ts';

const run = promisify(execFile);
const receivers = 8;
const packets = 120;

const allInOrder = Array.from({ length: packets }, (_, index) => index);

function expectAll({ sequences, counts }: Arrivals): void {
  expect(sequences).toEqual(Array.from({ length: receivers }, () => allInOrder));
  expect(counts).toMatchObject({ packets: receivers * packets, gaps: 0, refused: 0 });
}

test('a burst for several receivers is neither lost nor reordered', async () => {
  expectAll(await sendBurst({ receivers, packets }));
});

/** The loopback interface frees the buffer of a socket at once, unless something slow is put before it. */
const slowLoopback = [
  'ip link set lo up',
  'tc qdisc add dev lo root tbf rate 20mbit burst 4000 limit 4000000',
].join(' && ');

async function canSlowLoopback(): Promise<boolean> {
  return run('unshare', ['--map-root-user', '--net', 'sh', '-c', slowLoopback]).then(
    () => true,
    () => false,
  );
}

test('a full socket buffer neither loses nor reorders a burst', async ({ skip }) => {
  if (!(await canSlowLoopback())) skip('no network of its own can be made here');
  const burst: Burst = { receivers, packets, sendBufferBytes: 8_000 };
  const script = new URL('../testing/send-burst-run.ts', import.meta.url).pathname;
  const inside = ['sh', '-c', `${slowLoopback} && exec "$@"`, 'sh', process.execPath, script];
  const { stdout } = await run(
    'unshare',
    ['--map-root-user', '--net', ...inside, JSON.stringify(burst)],
    { maxBuffer: 2 ** 24 },
  );
  expectAll(JSON.parse(stdout));
});
