// Writes wrangler's bundle of the edge and the settings of wrangler.toml into a folder. Run by worker-bundle.ts.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { unstable_getMiniflareWorkerOptions as readSettings } from 'wrangler';
import { fromRoot } from './child.ts';

const [folder] = process.argv.slice(2);
if (!folder) throw new Error('which folder?');

// Wrangler's files for its command line are not among its exports.
const wrangler = join(
  createRequire(import.meta.url).resolve('wrangler/package.json'),
  '../bin/wrangler.js',
);
const bundling = spawn(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', folder], {
  cwd: fromRoot('.'),
  stdio: ['ignore', 'inherit', 'inherit'],
});
const { workerOptions } = readSettings(fromRoot('wrangler.toml'));
await writeFile(join(folder, 'settings.json'), JSON.stringify(workerOptions));
const [code] = await once(bundling, 'exit');
process.exitCode = code ?? 1;
