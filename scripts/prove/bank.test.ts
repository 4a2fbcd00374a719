// The bank test, short: the same run as `npm run prove:bank`, with fewer tips.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startStack } from '../launch/stack.ts';
import { runBank } from './bank-run.ts';

test('with the API and the database killed under load, every acknowledged tip is there, and none twice', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'livepanty-bank-'));
  const stack = await startStack({
    dataDir,
    ports: 'free',
    disposable: true,
    withClient: false,
    env: { ...process.env, LIVEPANTY_EDGE: 'node', LOG_LEVEL: 'error' },
  });
  try {
    const result = await runBank(stack, 7, {
      tips: 1_500,
      viewers: 40,
      performers: 5,
      clients: 48,
    });
    expect(result.faults).toEqual([]);
    expect(result.kills).toBe(4);
    expect(result.accepted).toBeGreaterThan(1_000);
    expect(result.refused).toBeGreaterThan(0);
    expect(result.answersLost).toBeGreaterThan(20);
  } finally {
    await stack.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}, 180_000);
