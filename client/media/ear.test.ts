// Tests of the ear: what counts as something that has come over a transport.
import { expect, test } from 'vitest';
import { createEar } from './ear.ts';

type Report = { id: string; type: string; bytesReceived?: number; responsesReceived?: number };

function createScene() {
  let reports: Report[] | null = [];
  const hears = createEar({
    async getStats() {
      if (!reports) throw new Error('closed');
      return new Map(reports.map((report) => [report.id, report])) as unknown as RTCStatsReport;
    },
  });
  return {
    hears,
    tell(...told: Report[]) {
      reports = told;
    },
    close() {
      reports = null;
    },
  };
}

const pair = (id: string, bytesReceived: number, responsesReceived = 0): Report => ({
  id,
  type: 'candidate-pair',
  bytesReceived,
  responsesReceived,
});

test('media is heard once, and so is an answer to a question of ICE', async () => {
  const { hears, tell } = createScene();
  tell(pair('a', 100));
  expect(await hears()).toBe(true);
  expect(await hears()).toBe(false);
  tell(pair('a', 100, 1));
  expect(await hears()).toBe(true);
  expect(await hears()).toBe(false);
});

test('a pair that is gone is nothing new, one that takes its place is', async () => {
  const { hears, tell } = createScene();
  tell(pair('a', 100), pair('b', 50));
  await hears();
  tell(pair('a', 100));
  expect(await hears()).toBe(false);
  tell(pair('a', 100), pair('c', 1));
  expect(await hears()).toBe(true);
});

test('other counters, and a transport that tells nothing any more, are silent', async () => {
  const { hears, tell, close } = createScene();
  tell({ id: 'x', type: 'inbound-rtp', bytesReceived: 100 });
  expect(await hears()).toBe(false);
  close();
  expect(await hears()).toBe(false);
});
