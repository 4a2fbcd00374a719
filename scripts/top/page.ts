// The page: nodes, workers and streams of a cluster as lines of a terminal.
import type { Cluster, NodeState, NodeView, StreamView } from './cluster.ts';
import {
  bar,
  bits,
  type Cell,
  type Column,
  duration,
  megabytes,
  renderLine,
  type Style,
  tableLines,
} from './table.ts';

interface PageSize {
  columns: number;
  /** Without a limit everything is shown. */
  rows: number;
  colour: boolean;
}

const stateStyles: Record<NodeState, Style> = {
  ready: 'green',
  draining: 'yellow',
  silent: 'red',
  unreachable: 'red',
};

/** No picture should stand still for more of the time. */
const frozenShareMax = 0.02;
/** Of ten; a track below it loses packets. */
const scoreMin = 7;

/** The lines of the page, and not one more than the terminal has. */
export function renderPage(cluster: Cluster, size: PageSize, now: Date): string[] {
  const { nodes, streams } = cluster;
  const head = [summaryOf(cluster, now), []];
  const upper = [...head, ...nodeLines(nodes), [], ...workerLines(nodes), []];
  // What does not fit is the end of the list of streams, with the fewest viewers.
  const left = size.rows - upper.length - 1;
  const shown = streams.length <= left ? streams : streams.slice(0, Math.max(0, left - 1));
  const rest = streams.length - shown.length;
  const more: Cell[][] = rest > 0 ? [[{ text: `and ${rest} more`, style: 'dim' }]] : [];
  return [...upper, ...streamLines(shown), ...more]
    .slice(0, size.rows)
    .map((cells) => renderLine(cells, size));
}

function summaryOf({ nodes, streams }: Cluster, now: Date): Cell[] {
  const viewers = streams.reduce((sum, stream) => sum + stream.viewers, 0);
  const out = streams.reduce((sum, stream) => sum + stream.bitrateOutBps, 0);
  const answering = nodes.filter(({ stats }) => stats).length;
  return [
    { text: 'LivePanty SFU', style: 'bold' },
    { text: `  ${now.toISOString().slice(11, 19)} UTC  ` },
    { text: `${answering} of ${nodes.length} nodes, ${streams.length} streams, ` },
    { text: `${viewers} viewers, ${bits(out)} out` },
  ];
}

const nodeColumns: Column[] = [
  { title: 'node' },
  { title: 'state' },
  { title: 'country' },
  { title: 'load' },
  { title: 'viewers', isFigure: true },
  { title: 'rooms', isFigure: true },
  { title: 'sockets', isFigure: true },
  { title: 'media in', isFigure: true },
  { title: 'media out', isFigure: true },
  { title: 'loop p99', isFigure: true },
  { title: 'refused', isFigure: true },
  { title: 'up', isFigure: true },
];

function nodeLines(nodes: NodeView[]): Cell[][] {
  const rows = nodes.map(({ name, state, country, load, viewersMax, stats }): Cell[] => {
    const shared: Cell[] = [
      { text: name },
      { text: state, style: stateStyles[state] },
      { text: country ?? '-' },
      bar(load),
    ];
    if (!stats) return [...shared, { text: `-/${viewersMax ?? '-'}` }];
    const { rooms } = stats;
    const refused = Object.values(stats.refusals).reduce((total, count) => total + count, 0);
    return [
      ...shared,
      ...textCells(
        `${stats.viewers}/${stats.viewersMax}`,
        String(rooms.length),
        String(stats.sockets),
        bits(rooms.reduce((sum, room) => sum + room.bitrateInBps, 0)),
        bits(rooms.reduce((sum, room) => sum + room.bitrateOutBps, 0)),
        `${stats.eventLoopDelayMs.p99.toFixed(0)} ms`,
        String(refused),
        duration(stats.upSeconds),
      ),
    ];
  });
  return tableLines(nodeColumns, rows);
}

const workerColumns: Column[] = [
  { title: 'worker' },
  { title: 'pid', isFigure: true },
  { title: 'cpu' },
  { title: 'rooms', isFigure: true },
  { title: 'viewers', isFigure: true },
  { title: 'tracks out', isFigure: true },
  { title: 'memory', isFigure: true },
  { title: 'died', isFigure: true },
];

function workerLines(nodes: NodeView[]): Cell[][] {
  const rows = nodes.flatMap(({ name, stats }) =>
    (stats?.workers ?? []).map((worker): Cell[] => [
      { text: `${name} #${worker.index}` },
      worker.pid === null ? { text: 'down', style: 'red' } : { text: String(worker.pid) },
      bar(worker.cpuLoad),
      ...textCells(
        String(worker.routers),
        String(worker.viewers),
        String(worker.consumers),
        megabytes(worker.memoryPeakBytes),
      ),
      { text: String(worker.deaths), ...(worker.deaths > 0 ? { style: 'yellow' as const } : {}) },
    ]),
  );
  return tableLines(workerColumns, rows);
}

const streamColumns: Column[] = [
  { title: 'stream' },
  { title: 'viewers', isFigure: true },
  { title: 'published on' },
  { title: 'nodes', isFigure: true },
  { title: 'in', isFigure: true },
  { title: 'out', isFigure: true },
  { title: 'score', isFigure: true },
  { title: 'keyframes asked', isFigure: true },
  { title: 'frozen', isFigure: true },
];

function streamLines(streams: StreamView[]): Cell[][] {
  const rows = streams.map((stream): Cell[] => [
    { text: stream.streamId },
    { text: String(stream.viewers) },
    { text: stream.publishedOn ?? '-' },
    { text: String(stream.nodes) },
    { text: bits(stream.bitrateInBps) },
    { text: bits(stream.bitrateOutBps) },
    judged(stream.score, String, (score) => score < scoreMin),
    { text: String(stream.keyframeRequests) },
    judged(
      stream.frozenShare,
      (share) => `${(share * 100).toFixed(1)}%`,
      (share) => share > frozenShareMax,
    ),
  ]);
  return tableLines(streamColumns, rows);
}

function judged(
  value: number | null,
  write: (value: number) => string,
  isBad: (value: number) => boolean,
): Cell {
  if (value === null) return { text: '-' };
  return { text: write(value), ...(isBad(value) ? { style: 'red' } : {}) };
}

function textCells(...texts: string[]): Cell[] {
  return texts.map((text) => ({ text }));
}
