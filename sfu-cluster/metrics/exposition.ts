// The exposition: metric families as the text that Prometheus reads, version 0.0.4.

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Record<string, string | number>;

interface Sample {
  labels: Labels;
  value: number;
  /** Of a histogram: `_bucket`, `_sum` or `_count`. */
  suffix?: string;
}

/** All samples of one name. */
export interface Family {
  name: string;
  help: string;
  type: 'gauge' | 'counter' | 'histogram';
  samples: Sample[];
}

/** A family with one sample, or one for each entry. */
export function gauge(name: string, help: string, values: number | [Labels, number][]): Family {
  return { name, help, type: 'gauge', samples: samplesOf(values) };
}

/** The same for what only grows while the process lives. */
export function counter(name: string, help: string, values: number | [Labels, number][]): Family {
  return { name, help, type: 'counter', samples: samplesOf(values) };
}

export function renderFamilies(families: readonly Family[]): string {
  return families.map(renderFamily).join('');
}

function samplesOf(values: number | [Labels, number][]): Sample[] {
  if (typeof values === 'number') return [{ labels: {}, value: values }];
  return values.map(([labels, value]) => ({ labels, value }));
}

/** Without samples too: a board finds the name before anything has happened. */
function renderFamily({ name, help, type, samples }: Family): string {
  const lines = samples.map(
    ({ labels, value, suffix = '' }) =>
      `${name}${suffix}${renderLabels(labels)} ${numberOf(value)}`,
  );
  return `${[`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...lines].join('\n')}\n`;
}

function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string | number): string {
  return String(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function numberOf(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}
