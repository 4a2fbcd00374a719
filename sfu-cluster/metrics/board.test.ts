// Tests of board and alerts: they can be read, and ask for nothing that a node does not export.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { useScene } from '../testing/scene.ts';
import { readSeries } from '../testing/series.ts';

const deploy = fileURLToPath(new URL('../../deploy', import.meta.url));
const read = (path: string) => readFileSync(`${deploy}/${path}`, 'utf8');

const Board = z.object({
  uid: z.string().min(1),
  templating: z.object({
    list: z.array(
      z.object({ name: z.string(), query: z.union([z.string(), z.object({ query: z.string() })]) }),
    ),
  }),
  panels: z.array(
    z.object({
      id: z.int(),
      title: z.string().min(1),
      targets: z.array(z.object({ expr: z.string().min(1) })).default([]),
    }),
  ),
});
const Rules = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
          annotations: z.strictObject({ summary: z.string() }),
        }),
      ),
    }),
  ),
});
const ScrapeConfig = z.object({
  rule_files: z.array(z.string()),
  scrape_configs: z.array(
    z.object({
      job_name: z.string(),
      metrics_path: z.literal('/metrics').default('/metrics'),
      authorization: z.object({ credentials_file: z.string() }),
    }),
  ),
});

const board = Board.parse(JSON.parse(read('grafana/dashboards/sfu.json')));
const rules = Rules.parse(parse(read('prometheus/sfu-rules.yml'))).groups.flatMap(
  (group) => group.rules,
);
const scrape = ScrapeConfig.parse(parse(read('prometheus/prometheus.yml')));

/** Words of the language that are no names of metrics. */
const words = new Set(['by', 'without', 'and', 'or', 'unless', 'on', 'ignoring', 'bool', 'offset']);

/** The metrics that a query names: what is neither a function, nor a label, nor a word of the language. */
function metricsIn(expr: string): string[] {
  const bare = expr
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"/g, ' ')
    .replaceAll(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, ' ');
  const names = [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\w)(?!\s*\()/g)].map(([name]) => name);
  return names.filter((name) => !words.has(name));
}

/** Labels that a query of that metric matches by, and those that it sums by. */
function labelsIn(expr: string): string[] {
  const matched = [...expr.matchAll(/[{,]\s*([a-z_]+)\s*(?:=~|!~|!=|=)/g)];
  const grouped = [...expr.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(','),
  );
  return [...matched.map(([, label = '']) => label), ...grouped.map((label) => label.trim())];
}

const scene = useScene();
let names: Set<string>;
let labels: Set<string>;

beforeAll(async () => {
  const series = await readSeries(scene.node.httpUrl);
  // Prometheus itself tells whether it reached a node, and which one it was.
  names = new Set([...series.names, 'up']);
  labels = new Set(['job', 'instance', 'stream', 'source', 'direction']);
  for (const one of series.all) for (const label of Object.keys(one.labels)) labels.add(label);
});

const queries = [
  ...board.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr])),
  ...rules.map(({ alert, expr }) => [alert, expr]),
] as [string, string][];

test.each(queries)('%s asks for what a node exports', (_, expr) => {
  const asked = metricsIn(expr);
  expect(asked).not.toEqual([]);
  expect(asked.filter((name) => !names.has(name))).toEqual([]);
  expect(labelsIn(expr).filter((label) => !labels.has(label))).toEqual([]);
});

test('what the board lets one choose from is exported', () => {
  const chosen = board.templating.list.flatMap(({ query }) =>
    typeof query === 'string' ? [] : [/label_values\((\w+), \w+\)/.exec(query.query)?.[1] ?? ''],
  );
  expect(chosen.length).toBeGreaterThan(0);
  expect(chosen.filter((name) => !names.has(name))).toEqual([]);
});

describe('the files', () => {
  test('of Grafana can be read, and no two panels are one', () => {
    const ids = board.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const kind of ['dashboards', 'datasources']) {
      for (const file of readdirSync(`${deploy}/grafana/provisioning/${kind}`)) {
        expect(parse(read(`grafana/provisioning/${kind}/${file}`))).toMatchObject({
          apiVersion: 1,
        });
      }
    }
  });

  test('of Prometheus name rules that are there, and the job that board and alerts ask for', () => {
    expect(readdirSync(`${deploy}/prometheus`)).toEqual(expect.arrayContaining(scrape.rule_files));
    const jobs = new Set(scrape.scrape_configs.map((one) => one.job_name));
    const asked = queries.flatMap(([, expr]) => [...expr.matchAll(/job="([^"]*)"/g)]);
    expect(asked.length).toBeGreaterThan(0);
    for (const [, job = ''] of asked) expect(jobs).toContain(job);
  });
});
