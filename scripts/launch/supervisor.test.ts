// The supervisor with real processes: order, restarts, and nobody left behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../../testing/redis.ts';
import { fromRoot } from './child.ts';
import type { PartSpec } from './part.ts';
import { type StepSpec, Supervisor } from './supervisor.ts';
import { askTiny, tinyForeignPart, tinyPart } from './testing/tiny-parts.ts';

let port: number;
let otherPort: number;
let running: Supervisor | null = null;

beforeEach(async () => {
  [port, otherPort] = await Promise.all([freePort(), freePort()]);
});
afterEach(async () => {
  await running?.close();
  running = null;
});

async function start(parts: PartSpec[], steps: StepSpec[] = []): Promise<Supervisor> {
  running = Supervisor.create({ parts, steps });
  await running.start();
  return running;
}

/** Whether a process runs; one that only waits to be buried does not. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
const goneSoon = (...pids: number[]) =>
  expect.poll(() => pids.filter(runs), { timeout: 10_000 }).toEqual([]);
const refuses = (at: number) =>
  expect.poll(() => askTiny(at).then(String, (error) => error.cause?.code)).toBe('ECONNREFUSED');

test('parts and steps begin when what they stand on is ready, and end the other way round', async () => {
  const story: string[] = [];
  const supervisor = Supervisor.create({
    parts: [tinyPart('upper', otherPort, ['step']), tinyPart('lower', port)],
    steps: [{ name: 'step', after: ['lower'], run: async () => void (await askTiny(port)) }],
  });
  running = supervisor;
  supervisor.on('progress', (name, state) => story.push(`${name} ${state}`));
  await supervisor.start();
  await supervisor.close();
  expect(story).toEqual([
    'lower starting',
    'lower ready',
    'step done',
    'upper starting',
    'upper ready',
    'upper stopped',
    'lower stopped',
  ]);
  await refuses(port);
  await refuses(otherPort);
});

test('a part that dies is started again, with everything that it had started gone', async () => {
  const supervisor = await start([tinyPart('tiny', port)]);
  const first = await askTiny(port);
  await fetch(`http://127.0.0.1:${port}/die`).catch(() => {});
  await expect.poll(() => supervisor.part('tiny').lives).toBe(2);
  await supervisor.part('tiny').untilReady();
  const second = await askTiny(port);
  expect(second.pid).not.toBe(first.pid);
  await goneSoon(first.pid, first.grandchild);
});

test('a killed part, foreign or ours, comes back', async () => {
  const supervisor = await start([tinyPart('tiny', port), tinyForeignPart('foreign', otherPort)]);
  for (const [name, at] of [
    ['tiny', port],
    ['foreign', otherPort],
  ] as const) {
    const before = await askTiny(at);
    await supervisor.part(name).kill();
    expect(runs(before.pid)).toBe(false);
    await supervisor.part(name).untilReady();
    expect((await askTiny(at)).pid).not.toBe(before.pid);
  }
});

test('a restart on request is one restart', async () => {
  const supervisor = await start([tinyPart('tiny', port)]);
  const before = await askTiny(port);
  await supervisor.part('tiny').restart();
  expect((await askTiny(port)).pid).not.toBe(before.pid);
  expect(supervisor.part('tiny').lives).toBe(2);
  await goneSoon(before.pid, before.grandchild);
});

test('a part that cannot start fails the start, says why, and nothing stays up', async () => {
  const broken: PartSpec = {
    ...tinyPart('broken', otherPort, ['tiny']),
    command: async () => ({
      file: process.execPath,
      args: ['-e', 'console.error("the reason"); process.exit(1)'],
      cwd: '/',
      env: {},
    }),
  };
  await expect(start([tinyPart('tiny', port), broken])).rejects.toThrow(/broken.*the reason/s);
  await refuses(port);
  const missing = {
    ...broken,
    command: async () => ({ file: '/no/such', args: [], cwd: '/', env: {} }),
  };
  await expect(start([missing])).rejects.toThrow(/broken.*ENOENT/s);
});

test('a failing step fails the start, and nothing stays up', async () => {
  const step: StepSpec = {
    name: 'step',
    after: ['tiny'],
    run: async () => {
      throw new Error('no migration today');
    },
  };
  await expect(start([tinyPart('tiny', port)], [step])).rejects.toThrow('no migration today');
  await refuses(port);
});

test('a part sees only the environment that is meant for it', async () => {
  process.env.TINY_PARENT_SECRET = 'of the launcher';
  await start([tinyPart('tiny', port)]);
  const seen = await fetch(`http://127.0.0.1:${port}/secret`);
  expect(await seen.text()).toBe('nothing');
});

test('kill -9 of the launcher leaves no process and no port behind', async () => {
  const launcher = spawn(
    process.execPath,
    [fromRoot('scripts/launch/testing/tiny-launcher.ts'), String(port), String(otherPort)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(launcher.stdout, 'data');
  const ours = await askTiny(port);
  const foreign = await askTiny(otherPort);
  expect([ours.pid, ours.grandchild, foreign.pid].map(runs)).toEqual([true, true, true]);
  launcher.kill('SIGKILL');
  await goneSoon(ours.pid, ours.grandchild, foreign.pid);
  await refuses(port);
  await refuses(otherPort);
});
