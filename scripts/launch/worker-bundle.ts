// The edge as it is deployed: wrangler's own bundle of it, and the settings of wrangler.toml, made once per change.
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { V4WorkerOptions } from 'miniflare';
import { fromRoot, nodeCommand, startChild } from './child.ts';
import { hashSources, keptBuild } from './work-dir.ts';

/** What the bundle is made from. */
const sources = ['edge', 'db', 'contract', 'wrangler.toml', 'package.json', 'package-lock.json'];

/** What stands beside the script, by its ending. */
const binaryModules: Record<string, 'CompiledWasm' | 'Data' | undefined> = {
  '.wasm': 'CompiledWasm',
  '.woff': 'Data',
};

export interface WorkerBundle {
  /** Whether it was made just now. */
  built: boolean;
  modules: {
    type: 'ESModule' | 'CompiledWasm' | 'Data';
    path: string;
    contents: string | Uint8Array;
  }[];
  /** Of wrangler.toml: compatibility, assets, variables, triggers. */
  settings: Partial<V4WorkerOptions>;
}

/** Makes the bundle, or finds the one that was made from the same sources. */
export async function bundleWorker(): Promise<WorkerBundle> {
  // Wrangler asks for the folder of assets to be there, even if the client is built later.
  await mkdir(fromRoot('client/dist'), { recursive: true });
  const { folder, built } = await keptBuild(
    'worker',
    await hashSources(sources, fromRoot('.')),
    make,
  );
  const names = await readdir(folder);
  return {
    built,
    modules: [
      {
        type: 'ESModule',
        path: 'worker.js',
        contents: await readFile(join(folder, 'worker.js'), 'utf8'),
      },
      ...(await Promise.all(
        names.flatMap((name) => {
          const type = binaryModules[extname(name)];
          return type ? [readModule(folder, name, type)] : [];
        }),
      )),
    ],
    settings: JSON.parse(await readFile(join(folder, 'settings.json'), 'utf8')),
  };
}

async function readModule(folder: string, path: string, type: 'CompiledWasm' | 'Data') {
  return { type, path, contents: new Uint8Array(await readFile(join(folder, path))) };
}

async function make(folder: string): Promise<void> {
  const output: string[] = [];
  const child = startChild(
    nodeCommand(
      'scripts/launch/make-worker-bundle.ts',
      {
        // Its own small files stay in the checkout, and nothing is reported to anybody.
        XDG_CONFIG_HOME: fromRoot('.livepanty/wrangler'),
        WRANGLER_WRITE_LOGS: 'false',
        WRANGLER_SEND_METRICS: 'false',
        CI: '1',
      },
      [folder],
    ),
    (line) => output.push(line),
  );
  const { code } = await child.ended;
  if (code !== 0) throw new Error(`the edge could not be bundled:\n${output.join('\n')}`);
}
