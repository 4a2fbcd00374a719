// Tests of the page: what is shown first, and that it never outgrows its terminal.
import { expect, test } from 'vitest';
import type { Cluster, NodeView, StreamView } from './cluster.ts';
import { renderPage } from './page.ts';

const now = new Date('2026-11-30T04:20:03Z');
const unbounded = { columns: 1_000, rows: 1_000, colour: false };

const stream = (streamId: string, viewers: number, more: Partial<StreamView> = {}): StreamView => ({
  ...{ streamId, viewers, publishedOn: 'sfu-1', nodes: 1, bitrateInBps: 0, bitrateOutBps: 1e6 },
  ...{ score: 10, keyframeRequests: 3, frozenShare: null },
  ...more,
});

const node: NodeView = {
  ...{ name: 'sfu-1', state: 'ready', country: 'IN', load: 0.85, viewersMax: 500 },
  stats: {
    ...{ nodeId: 'sfu-1', country: 'IN', draining: false, load: 0.85, viewers: 425 },
    ...{ viewersMax: 500, sockets: 430, upSeconds: 3_700, beatAgeMs: 10, bytesIn: 0, bytesOut: 0 },
    connections: { whip: 0, whep: 0 },
    ...{ eventLoopDelayMs: { p50: 0, p99: 3, max: 4 }, rooms: [], refusals: { 'no-room': 7 } },
    workers: [
      {
        ...{ index: 0, pid: null, cpuLoad: 0, routers: 0, viewers: 0, consumers: 0 },
        ...{ memoryPeakBytes: 2 ** 25, deaths: 2 },
      },
    ],
  },
};
const away: NodeView = {
  ...{ name: 'sfu-2', state: 'silent', country: null, load: 0.2, viewersMax: 500, stats: null },
};
const cluster: Cluster = {
  nodes: [node, away],
  streams: Array.from({ length: 40 }, (_, index) => stream(`stream-${index}`, 40 - index)),
};

test('a node that does not answer is shown with what the registry knows of it', () => {
  const text = renderPage(cluster, unbounded, now).join('\n');
  expect(text).toMatch(/sfu-1 +ready +IN +\[#########\.\] 85% +425\/500 .* 7 +1h01m/);
  expect(text).toMatch(/sfu-2 +silent +- +\[##\.{8}\] 20% +-\/500/);
  expect(text).toMatch(/sfu-1 #0 +down .* 32 MB +2/);
  expect(text).toContain('1 of 2 nodes, 40 streams, 820 viewers, 40.0 Mb/s out');
});

test.each([
  [24, 80],
  [12, 40],
  [3, 20],
  [1, 1],
])(
  'on %d rows of %d columns nothing is longer, and what is left out is counted',
  (rows, columns) => {
    const lines = renderPage(cluster, { rows, columns, colour: false }, now);
    expect(lines.length).toBeLessThanOrEqual(rows);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    if (rows < 24) return;
    const shown = lines.filter((line) => line.startsWith('stream-'));
    expect(shown[0]).toMatch(/^stream-0 +40/);
    expect(lines.at(-1)).toBe(`and ${40 - shown.length} more`);
  },
);

test('colours change nothing but the colour, and without them there is not one escape', () => {
  const plain = renderPage(cluster, unbounded, now).join('\n');
  const painted = renderPage(cluster, { ...unbounded, colour: true }, now).join('\n');
  const escapeCode = '\u001b';
  expect(plain).not.toContain(escapeCode);
  expect(painted).toContain(`${escapeCode}[31m[#########.] 85%`);
  expect(painted.replaceAll(new RegExp(`${escapeCode}\\[\\d+m`, 'g'), '')).toBe(plain);
});
