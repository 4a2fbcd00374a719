import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'livepanty-setup-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

function node(...args: string[]): ChildProcess {
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function program(source: string): Promise<string> {
  const file = join(folder, 'program.ts');
  await writeFile(file, source);
  return file;
}

test('a set-up with nothing to do takes less than three seconds', async () => {
  await once(node(join(root, 'scripts/setup/index.mjs')), 'exit');
  const startedAt = performance.now();
  const [code] = await once(node(join(root, 'scripts/setup/index.mjs')), 'exit');
  expect(code).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(3000);
});

test('what a crash left of stamps and locks does no harm, in a folder with a difficult name', async () => {
  const clone = join(folder, 'Büro & Söhne', 'live panty');
  await cp(join(root, 'scripts/setup'), join(clone, 'scripts/setup'), { recursive: true });
  await cp(join(root, 'package-lock.json'), join(clone, 'package-lock.json'));
  await symlink(join(root, 'node_modules'), join(clone, 'node_modules'));
  await mkdir(join(clone, '.livepanty'));
  await writeFile(join(clone, '.livepanty/setup.json'), '{"basis":');
  // The id of the one that crashed belongs to another process by now: this one.
  const holder = JSON.stringify({ pid: process.pid, born: '1' });
  await writeFile(join(clone, '.livepanty/setup.lock'), holder);
  // The programs are known here, so that nothing is looked for.
  const { programs } = JSON.parse(await readFile(join(root, '.livepanty/setup.json'), 'utf8'));
  const env = {
    ...process.env,
    MEDIASOUP_WORKER_BIN: programs.mediasoupWorker,
    FFMPEG_BIN: programs.ffmpeg,
  };
  const setup = join(clone, 'scripts/setup/index.mjs');
  const [code] = await once(spawn(process.execPath, [setup], { env, stdio: 'ignore' }), 'exit');
  expect(code).toBe(0);
  const stamp = JSON.parse(await readFile(join(clone, '.livepanty/setup.json'), 'utf8'));
  expect(stamp.programs.mediasoupWorker).toBe(programs.mediasoupWorker);
});

test('what run.mjs runs gets its arguments, the programs, and hands on its exit code', async () => {
  const file = await program(`
    const code: number = Number(process.argv[2]);
    process.exit(process.env.MEDIASOUP_WORKER_BIN && process.env.FFMPEG_BIN ? code : 1);
  `);
  const [code] = await once(node(join(root, 'scripts/run.mjs'), file, '7'), 'exit');
  expect(code).toBe(7);
});

const byItself = (file: string) => node(join(root, 'scripts/run.mjs'), file);

function byNpm(file: string): ChildProcess {
  const run = JSON.stringify(`"${process.execPath}" "${join(root, 'scripts/run.mjs')}" "${file}"`);
  writeFileSync(join(folder, 'package.json'), `{ "scripts": { "go": ${run} } }`);
  const npm = ['run', '--silent', 'go'];
  return spawn('npm', npm, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
}

test.each([
  ['run.mjs', byItself],
  ['npm', byNpm],
])('what run.mjs runs is told to stop even when %s is killed', async (_, start) => {
  const file = await program(`
    process.on('SIGTERM', () => { console.log('stopping'); process.exit(0); });
    setInterval(() => {}, 1000);
    console.log('running');
  `);
  const runner = start(file);
  const output = runner.stdout;
  if (!output) throw new Error('the output is a pipe');
  await once(output, 'data');
  runner.kill('SIGKILL');
  // Its output outlives the runner, and ends when the last that holds it does.
  const [last] = await once(output, 'data');
  expect(String(last)).toContain('stopping');
  await once(output, 'end');
});

const workerSources = join(root, 'node_modules/mediasoup/worker');

async function patched(name: string, asUpstream: boolean): Promise<string> {
  const sources = join(folder, name);
  await cp(workerSources, sources, { recursive: true });
  const apply = `const { applyPatches } = await import(process.argv[1]);
    await applyPatches(process.argv[2], { asUpstream: ${asUpstream} });`;
  const patches = join(root, 'scripts/setup/worker/patches.mjs');
  const [code] = await once(node('--input-type=module', '-e', apply, patches, sources), 'exit');
  expect(code).toBe(0);
  return sources;
}

const handlesOf = (sources: string) =>
  readFile(join(sources, 'src/handles/UdpSocketHandle.cpp'), 'utf8');

test("the patches fit the sources of mediasoup's worker that are installed", async () => {
  const sources = await patched('worker', false);
  expect(await handlesOf(sources)).toContain('batch.Add');
  expect(await readFile(join(sources, 'meson.build'), 'utf8')).toContain('UdpSendBatch.cpp');
});

test('the worker that ours is compared with sends as upstream does', async () => {
  const sources = await patched('upstream', true);
  expect(await handlesOf(sources)).toBe(await handlesOf(workerSources));
});
