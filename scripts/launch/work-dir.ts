// The working folder of the checkout, and what is kept there under the hash of what it was made from.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fromRoot } from './child.ts';
import { withLock } from './lock.ts';

/** Ignored by git: data, secrets, logs, builds. */
export const workDir = fromRoot('.livepanty');

/** Folders that hold no sources. */
const skippedNames = new Set(['node_modules', 'dist', '.livepanty', '.git']);
/** Builds of one kind that are kept; the oldest are removed. */
const buildsKeptMax = 3;

/** A hash of the contents and names of files and folders of the checkout. */
export async function hashSources(paths: string[], ...more: string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(more));
  const add = async (path: string): Promise<void> => {
    const entries = await readdir(fromRoot(path), { withFileTypes: true }).catch(() => null);
    if (!entries) {
      const contents = await readFile(fromRoot(path)).catch(() => Buffer.alloc(0));
      hash.update(`${path}\0${contents.length}\0`).update(contents);
      return;
    }
    const names = entries.filter(({ name }) => !skippedNames.has(name) && !isTest(name));
    for (const { name } of names.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      await add(join(path, name));
    }
  };
  for (const path of paths) await add(path);
  return hash.digest('hex').slice(0, 20);
}

const isTest = (name: string) => /\.test\.tsx?$/.test(name);

/**
 * The folder of a build, made by `build` unless it is there already. Several processes may ask at
 * the same time; one builds, and the folder appears when it is complete.
 */
export async function keptBuild(
  kind: string,
  hash: string,
  build: (folder: string) => Promise<void>,
): Promise<{ folder: string; built: boolean }> {
  const builds = join(workDir, 'builds');
  const folder = join(builds, `${kind}-${hash}`);
  if (existsSync(folder)) return { folder, built: false };
  return withLock(join(builds, `${kind}.lock`), async () => {
    if (existsSync(folder)) return { folder, built: false };
    const partial = join(builds, `.${kind}-${process.pid}`);
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    try {
      await build(partial);
      await rename(partial, folder);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
    await removeOldBuilds(builds, kind, `${kind}-${hash}`);
    return { folder, built: true };
  });
}

async function removeOldBuilds(builds: string, kind: string, newest: string): Promise<void> {
  const others = (await readdir(builds, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && entry.name.startsWith(`${kind}-`))
    .filter(({ name }) => name !== newest);
  for (const { name } of others.slice(0, Math.max(0, others.length - buildsKeptMax + 1))) {
    await rm(join(builds, name), { recursive: true, force: true });
  }
}
