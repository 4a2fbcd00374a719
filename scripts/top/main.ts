// `npm run sfu:top`: nodes, workers and streams of the SFU cluster, as they are now.
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { workDir } from '../launch/work-dir.ts';
import { StartRefused, startOrRefuse } from '../local/environment.ts';
import { type Cluster, type ClusterReader, createClusterReader } from './cluster.ts';
import { renderPage } from './page.ts';
import { openScreen } from './screen.ts';
import { findSources } from './sources.ts';

const refreshMs = 1_000;

const help = `npm run sfu:top [-- <data folder>] [--once | --json]

Shows the nodes, workers and streams of the SFU cluster, anew each second; q or Ctrl-C ends it. The
cluster is that of npm start, or that of SFU_NODES: addresses of nodes, separated by commas, of which one
is enough where the others are reached by their public addresses. SFU_METRICS_SECRET opens their figures.

--once   prints one plain table and ends; so it does without a terminal
--json   prints the same as JSON
`;

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        once: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    return { ...values, dataDir: resolve(positionals[0] ?? workDir) };
  } catch (error) {
    throw new StartRefused(`${error instanceof Error ? error.message : error}\n\n${help}`);
  }
}

/** One look; refuses when nobody answers, so that scripts notice. */
async function readOnce(reader: ClusterReader): Promise<Cluster> {
  const cluster = await reader.read();
  if (cluster.nodes.some(({ stats }) => stats)) return cluster;
  const names = cluster.nodes.map(({ name }) => name);
  throw new StartRefused(
    `No node answers${names.length > 0 ? ` (${names.join(', ')})` : ''}: none runs there, or the secret is another one.`,
  );
}

async function watch(reader: ClusterReader): Promise<void> {
  let cluster: Cluster = await readOnce(reader);
  const draw = () =>
    screen.draw(renderPage(cluster, { ...screen.size, colour: !process.env.NO_COLOR }, new Date()));
  const screen = openScreen(process.stdin, process.stdout, draw);
  const ending = new AbortController();
  void screen.left.then(() => ending.abort());
  try {
    while (!ending.signal.aborted) {
      draw();
      await delay(refreshMs, null, { signal: ending.signal }).catch(() => null);
      // Whoever leaves need not wait for nodes that do not answer.
      if (!ending.signal.aborted) {
        cluster = await Promise.race([reader.read(), screen.left.then(() => cluster)]);
      }
    }
  } finally {
    screen.close();
  }
}

await startOrRefuse(async () => {
  const { dataDir, once, json, help: isHelpWanted } = readArguments();
  if (isHelpWanted) {
    process.stdout.write(help);
    return;
  }
  const reader = createClusterReader(await findSources(dataDir, process.env));
  if (json) {
    process.stdout.write(`${JSON.stringify(await readOnce(reader), null, 2)}\n`);
  } else if (once || !process.stdout.isTTY) {
    const unbounded = {
      ...{ columns: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY, colour: false },
    };
    const lines = renderPage(await readOnce(reader), unbounded, new Date());
    process.stdout.write(`${lines.join('\n')}\n`);
  } else {
    await watch(reader);
    process.exit(0);
  }
});
