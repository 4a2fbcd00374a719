// Threads that hash passwords, for Node, Bun and Deno.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { createHashQueue } from '../services/hash-queue.ts';
import type { PasswordHasher } from '../services/passwords.ts';
import type { HashAnswer, HashJob } from './hash-worker.ts';

/** One core is left for everything else. */
const threadsMax = Math.max(1, availableParallelism() - 1);

/** A hash takes a tenth of a second: a thread that has not answered by then never will. */
const answerMsMax = 15_000;

interface Waiting {
  late: NodeJS.Timeout;
  resolve: (result: string | boolean) => void;
  reject: (error: Error) => void;
}

/** Started with the first password; a thread that fails takes its jobs with it and is replaced by the next one. */
export function createHashThreads(): { hasher: PasswordHasher; close: () => Promise<void> } {
  const threads: (Thread | undefined)[] = Array.from({ length: threadsMax });
  let turn = 0;

  function thread(): Thread {
    turn = (turn + 1) % threadsMax;
    const at = turn;
    const living = threads[at] ?? startThread(() => (threads[at] = undefined));
    threads[at] = living;
    return living;
  }

  return {
    hasher: createHashQueue(
      {
        async hash(password) {
          return String(await thread().ask({ type: 'hash', password }));
        },
        async verify(password, hash) {
          return (await thread().ask({ type: 'verify', password, hash })) === true;
        },
      },
      threadsMax,
    ),
    async close() {
      await Promise.all(threads.map((living) => living?.close()));
    },
  };
}

type Thread = ReturnType<typeof startThread>;
type Question = HashJob extends infer Job ? (Job extends HashJob ? Omit<Job, 'id'> : never) : never;

function startThread(onEnd: () => void) {
  const worker = new Worker(new URL('./hash-worker.ts', import.meta.url));
  const waiting = new Map<number, Waiting>();
  let last = 0;
  // Whoever has nothing else to do may end.
  worker.unref();

  function end(error: Error): void {
    onEnd();
    for (const { late, reject } of waiting.values()) {
      clearTimeout(late);
      reject(error);
    }
    waiting.clear();
  }
  worker.on('message', (answer: HashAnswer) => {
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    clearTimeout(asked?.late);
    if (waiting.size === 0) worker.unref();
    if ('error' in answer) asked?.reject(new Error(answer.error));
    else asked?.resolve(answer.result);
  });
  worker.on('error', (error) => end(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', () => end(new Error('the thread that hashes passwords has ended')));

  return {
    ask(question: Question): Promise<string | boolean> {
      return new Promise((resolve, reject) => {
        last += 1;
        const late = setTimeout(() => void worker.terminate(), answerMsMax);
        waiting.set(last, { late, resolve, reject });
        worker.ref();
        worker.postMessage({ id: last, ...question });
      });
    },
    async close(): Promise<void> {
      await worker.terminate();
    },
  };
}
