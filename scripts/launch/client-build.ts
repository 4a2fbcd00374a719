// The client's build: made once per change of its sources, and put where the edge serves it from.
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fromRoot, nodeCommand, startChild } from './child.ts';
import { withLock } from './lock.ts';
import { hashSources, keptBuild, workDir } from './work-dir.ts';

const sources = ['client', 'contract', 'package.json', 'package-lock.json', 'tsconfig.json'];

/** Brings `client/dist` to the present sources; answers whether it had to be built. */
export async function buildClient(): Promise<boolean> {
  const hash = await hashSources(sources);
  const stamp = join(workDir, 'builds', 'client-dist.stamp');
  const target = fromRoot('client/dist');
  const isPresent = async () =>
    (await readFile(stamp, 'utf8').catch(() => '')) === hash &&
    (await readFile(join(target, 'index.html')).catch(() => null)) !== null;
  if (await isPresent()) return false;

  const { folder, built } = await keptBuild('client', hash, build);
  await withLock(join(workDir, 'builds', 'client-dist.lock'), async () => {
    if (await isPresent()) return;
    const next = `${target}.new`;
    await rm(next, { recursive: true, force: true });
    await cp(folder, next, { recursive: true });
    await rm(target, { recursive: true, force: true });
    await rename(next, target);
    await mkdir(join(workDir, 'builds'), { recursive: true });
    await writeFile(stamp, hash);
  });
  return built;
}

async function build(folder: string): Promise<void> {
  // Vite's command is not among its exports.
  const vite = join(createRequire(import.meta.url).resolve('vite/package.json'), '../bin/vite.js');
  const output: string[] = [];
  const child = startChild(
    {
      ...nodeCommand(vite, { NODE_ENV: 'production', NO_COLOR: '1' }, [
        'build',
        ...['--outDir', folder, '--emptyOutDir', '--logLevel', 'warn'],
      ]),
      cwd: fromRoot('client'),
    },
    (line) => output.push(line),
  );
  const { code } = await child.ended;
  if (code !== 0) throw new Error(`the client could not be built:\n${output.join('\n')}`);
}
