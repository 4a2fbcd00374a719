// Test of the node under attack, in short: thousands of fuzzed frames and malformed packets, and nobody else notices.
import { expect, test } from 'vitest';
import { runHostile } from './hostile/hostile-run.ts';

test('fuzzed frames and malformed packets cost the others nothing', {
  timeout: 60_000,
}, async () => {
  const size = { frames: 20_000, packetsPerSecond: 2_000, seconds: 3, quietSeconds: 0, seed: 7 };
  const quiet = () => undefined;
  const result = await runHostile(size, quiet, quiet);
  expect(result.faults).toEqual([]);
  // It has come past the checks of the protocol, and as far as the media library.
  expect(result.answers.response).toBeGreaterThan(100);
  expect(result.answers['unsupported-media']).toBeGreaterThan(0);
  expect(result.packets).toBeGreaterThan(1_000);
});
