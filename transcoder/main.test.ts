// Tests of the process: it ends when it is told to, and leaves nothing behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { redisUrl } from '../testing/services.ts';
import { until } from './testing/bench.ts';
import { nodeSecret, startFakeEdge } from './testing/fake-edge.ts';
import { startFakeSfu } from './testing/fake-sfu.ts';
import { type CodedAudio, codedOpus, ffmpegBin } from './testing/media.ts';
import { startPublisher } from './testing/publisher.ts';

const endMsMax = 5_000;
let audio: CodedAudio;

beforeAll(async () => {
  audio = await codedOpus({ seconds: 2 });
});

interface Running {
  process: ChildProcess;
  encoderPid: number;
}

/** The process as a launcher starts it, with a stream in it, until the test is over. */
async function start(context: TestContext): Promise<Running> {
  const edge = await startFakeEdge();
  const publisher = startPublisher({ audio });
  const sfu = await startFakeSfu({ publisher });
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      TRANSCODER_PORT: '0',
      EDGE_URL: edge.url,
      NODE_SECRET: nodeSecret,
      REDIS_URL: redisUrl(),
      FFMPEG_BIN: ffmpegBin,
      PATH: process.env.PATH,
    },
  });
  context.onTestFinished(async () => {
    child.kill('SIGKILL');
    publisher.close();
    await sfu.close();
    await edge.close();
  });
  edge.assign(crypto.randomUUID(), sfu.url);
  await until('a job is ready', () => edge.reports.at(-1)?.jobs[0]?.state === 'ready');
  const [encoderPid] = childrenOf(child.pid ?? 0);
  if (!encoderPid) throw new Error('no encoder runs');
  return { process: child, encoderPid };
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

function runs(pid: number): boolean {
  try {
    // The third field behind the name: a zombie is dead, nobody has looked yet.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // No such process.
    return false;
  }
}

describe.concurrent('the process and its encoders end', () => {
  const ends: [string, (running: Running) => void][] = [
    ['on SIGTERM', (running) => running.process.kill('SIGTERM')],
    ['on SIGINT', (running) => running.process.kill('SIGINT')],
    ['when the process is killed', (running) => running.process.kill('SIGKILL')],
  ];
  for (const [name, end] of ends) {
    test(name, { timeout: 40_000 }, async (context) => {
      const running = await start(context);
      const startMs = performance.now();
      const exited = once(running.process, 'exit');
      end(running);
      await exited;
      await until('the encoder is gone', () => !runs(running.encoderPid));
      expect(performance.now() - startMs).toBeLessThan(endMsMax);
    });
  }
});

test('a configuration that is not complete is named on stderr, and nothing starts', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH },
  });
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const [code] = await once(child, 'exit');
  expect(code).not.toBe(0);
  expect(text).toContain('NODE_SECRET');
});
