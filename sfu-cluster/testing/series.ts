// Series for tests: what a node exports at `/metrics`, read as Prometheus would.
import { withSecret } from './test-edge.ts';

interface Series {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface SeriesRead {
  all: Series[];
  /** Of the one series with this name and at least these labels; undefined when there is none. */
  valueOf(name: string, labels?: Record<string, string>): number | undefined;
  labelled(label: string, value: string): Series[];
  /** Every name that a query may use, also of families without series. */
  names: Set<string>;
}

export async function readSeries(httpUrl: string): Promise<SeriesRead> {
  const answer = await fetch(`${httpUrl}/metrics`, withSecret);
  if (!answer.ok) throw new Error(`the node answered ${answer.status}`);
  const lines = (await answer.text()).trimEnd().split('\n');
  const all = lines.filter((line) => !line.startsWith('#')).map(parseSeries);
  return {
    all,
    valueOf: (name, labels = {}) =>
      all.find(
        (one) =>
          one.name === name &&
          Object.entries(labels).every(([label, value]) => one.labels[label] === value),
      )?.value,
    labelled: (label, value) => all.filter(({ labels }) => labels[label] === value),
    names: new Set(lines.flatMap(namesIn)),
  };
}

function namesIn(line: string): string[] {
  const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
  if (!name) return [];
  return type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name];
}

/** Throws on a line that is none: no reader would take the page. */
function parseSeries(line: string): Series {
  const parts = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
  const [, name, labels = '', value] = parts ?? [];
  if (!name || value === undefined) throw new Error(`no series: ${line}`);
  const pairs = [...labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\\n]|\\.)*)"/g)];
  return {
    name,
    labels: Object.fromEntries(pairs.map(([, label, text]) => [label, text])),
    value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value),
  };
}
