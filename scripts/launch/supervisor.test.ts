// The supervisor with real processes: order, restarts, and nobody left behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fromRoot } from './child.ts';
import { freePort } from './free-port.ts';
import { type PartSpec, restartsMax } from './part.ts';
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
/** On a busy machine, too. */
const soon = { timeout: 15_000 };
const goneSoon = (...pids: number[]) => expect.poll(() => pids.filter(runs), soon).toEqual([]);
const refuses = (at: number) =>
  expect
    .poll(() => askTiny(at).then(String, (error) => error.cause?.code), soon)
    .toBe('ECONNREFUSED');

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
  await expect.poll(() => supervisor.part('tiny').lives, soon).toBe(2);
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

test('a part that is no longer ready is shown, and left alone until it is again', async () => {
  const pace = { watchEveryMs: 50, restartDelayMaxMs: 10 };
  const supervisor = await start([{ ...tinyPart('tiny', port), pace }]);
  const lines: string[] = [];
  supervisor.on('line', (_, text) => lines.push(text));
  const state = () => supervisor.statuses()[0]?.state;
  await fetch(`http://127.0.0.1:${port}/unready`);
  await expect.poll(state, soon).toBe('unready');
  await fetch(`http://127.0.0.1:${port}/recover`);
  await supervisor.part('tiny').untilReady();
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { level: 'warn', msg: 'not ready: it says 503' },
    { level: 'info', msg: 'ready again' },
  ]);
  expect(supervisor.part('tiny').lives).toBe(1);
});

test('a part that dies again and again is given up, and says so', async () => {
  const pace = { watchEveryMs: 1_000, restartDelayMaxMs: 10 };
  let lives = 0;
  const spec = tinyPart('tiny', port);
  const command = async () =>
    lives++ === 0 ? spec.command() : { file: '/no/such', args: [], cwd: '/', env: {} };
  const supervisor = await start([{ ...spec, pace, command }]);
  const lines: string[] = [];
  supervisor.on('line', (_, text) => lines.push(text));
  await fetch(`http://127.0.0.1:${port}/die`).catch(() => {});
  await expect.poll(() => supervisor.statuses()[0]?.state, soon).toBe('failed');
  expect(lives).toBe(1 + restartsMax);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'warn',
    msg: expect.stringMatching(/^ended \(code 3\)/),
  });
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
    level: 'error',
    msg: expect.stringMatching(/given up after 8 attempts/),
  });
  await expect(supervisor.part('tiny').untilReady()).rejects.toThrow('tiny is failed');
});

test('deaths before a restart on request do not count after it', async () => {
  const pace = { watchEveryMs: 1_000, restartDelayMaxMs: 10 };
  const supervisor = await start([{ ...tinyPart('tiny', port), pace }]);
  const tiny = supervisor.part('tiny');
  for (let round = 0; round < 2; round += 1) {
    for (let death = 0; death < restartsMax - 2; death += 1) {
      await tiny.kill();
      await tiny.untilReady();
    }
    await tiny.restart();
  }
  expect(supervisor.statuses()[0]?.state).toBe('ready');
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

test.each([false, true])(
  'kill -9 of the launcher leaves no process and no port behind (a part hangs: %s)',
  async (stubborn) => {
    const launcher = spawn(
      process.execPath,
      [fromRoot('scripts/launch/testing/tiny-launcher.ts'), String(port), String(otherPort)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(launcher.stdout, 'data');
    const ours = await askTiny(port);
    const foreign = await askTiny(otherPort);
    expect([ours.pid, ours.grandchild, foreign.pid].map(runs)).toEqual([true, true, true]);
    // Not even a part whose end hangs.
    if (stubborn) await fetch(`http://127.0.0.1:${port}/stubborn`);
    launcher.kill('SIGKILL');
    await goneSoon(ours.pid, ours.grandchild, foreign.pid);
    await refuses(port);
    await refuses(otherPort);
  },
  40_000,
);
