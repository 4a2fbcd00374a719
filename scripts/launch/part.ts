// One part of the stack: a child process that is started, watched as long as it lives, and started again when it dies.
import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, type ChildEnd, type Command, startChild } from './child.ts';

export const readyTimeoutMs = 60_000;
const readyPollMs = 50;
/** One lost answer of a part that was ready is no news. */
const failedProbesMin = 2;
/** A part that dies so many times in a row, without having been steady, is given up. */
export const restartsMax = 8;
const restartDelayBaseMs = 250;
/** A part that has been ready for so long has got over what made it die before. */
const steadyMs = 30_000;
const tailLinesMax = 40;

const usualPace = {
  /** How often a part that was ready is asked whether it still is. */
  watchEveryMs: 5_000,
  restartDelayMaxMs: 10_000,
};

export interface PartSpec {
  name: string;
  /** What must be ready before it starts, by name. */
  after: string[];
  /** Where it can be reached. */
  address: string;
  /** Asked for before every start. */
  command(): Promise<Command>;
  /** Throws while it is not ready; `signal` ends a probe that nobody waits for any more. */
  probe(signal: AbortSignal): Promise<void>;
  /** Another pace than the usual one, for tests. */
  pace?: typeof usualPace;
}

/** `unready` runs and has been ready, but says that it is not; `failed` is given up. */
export type PartState =
  | 'waiting'
  | 'starting'
  | 'ready'
  | 'unready'
  | 'restarting'
  | 'stopped'
  | 'failed';

interface PartEvents {
  line: [text: string];
  state: [state: PartState];
}

export class Part extends EventEmitter<PartEvents> {
  readonly spec: PartSpec;
  readonly #pace: typeof usualPace;
  #state: PartState = 'waiting';
  #child: Child | null = null;
  /** Grows whenever somebody decides about it: what an earlier decision had set going then ends. */
  #decision = 0;
  #restarts = 0;
  #readyAt = 0;
  #readyMs: number | null = null;
  #lives = 0;
  readonly #tail: string[] = [];
  readonly #closing = new AbortController();

  private constructor(spec: PartSpec) {
    super();
    this.spec = spec;
    this.#pace = spec.pace ?? usualPace;
  }

  static create(spec: PartSpec): Part {
    return new Part(spec);
  }

  get state(): PartState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How long its last start took; null before it was ready. */
  get readyMs(): number | null {
    return this.#readyMs;
  }

  /** How often it has been started. */
  get lives(): number {
    return this.#lives;
  }

  /** Its last lines, for an error that must explain itself. */
  get tail(): string {
    return this.#tail.join('\n');
  }

  /** Starts it; resolves when it is ready, throws when it ends before that. */
  async start(): Promise<void> {
    this.#decision += 1;
    await this.#live(this.#decision);
  }

  /** Resolves when it is ready, now or after a restart; throws when it is given up or the time is over. */
  async untilReady(timeoutMs = readyTimeoutMs): Promise<void> {
    const signal = AbortSignal.timeout(timeoutMs);
    while (this.#state !== 'ready') {
      if (this.#state === 'failed' || this.#state === 'stopped' || signal.aborted) {
        throw new Error(`${this.spec.name} is ${this.#state}:\n${this.tail}`);
      }
      await once(this, 'state', { signal }).catch(() => {
        // The time is over: the next turn says so.
      });
    }
  }

  /** From now on its end is no accident: it is not started again. */
  release(): void {
    this.#decision += 1;
    this.#closing.abort();
  }

  /** Ends it in an orderly way; it stays down. Idempotent. */
  async stop(): Promise<void> {
    this.release();
    await this.#child?.stop();
    this.#become('stopped');
  }

  /** Kills it, as a crash would; it is started again. Resolves when it is dead. */
  async kill(): Promise<void> {
    const lives = this.#lives;
    await this.#child?.kill();
    // Whoever asks from now on is not told of the life before.
    if (this.#lives === lives && this.#hasBeenReady()) this.#become('restarting');
  }

  /** Ends it in an orderly way, starts it again, and resolves when it is ready. */
  async restart(): Promise<void> {
    this.#decision += 1;
    this.#restarts = 0;
    await this.#child?.stop();
    await this.start();
  }

  #become(state: PartState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.emit('state', state);
  }

  #hasBeenReady(): boolean {
    return this.#state === 'ready' || this.#state === 'unready';
  }

  #hear(line: string): void {
    this.#tail.push(line);
    if (this.#tail.length > tailLinesMax) this.#tail.shift();
    this.emit('line', line);
  }

  /** News of its life, among its own lines. */
  #say(level: 'info' | 'warn' | 'error', msg: string): void {
    this.#hear(JSON.stringify({ level, msg }));
  }

  async #live(decision: number): Promise<void> {
    const startedAt = performance.now();
    this.#become(this.#lives === 0 ? 'starting' : 'restarting');
    const command = await this.spec.command();
    if (decision !== this.#decision) throw new Error(`${this.spec.name} was stopped`);
    const child = startChild(command, (line) => this.#hear(line));
    this.#lives += 1;
    this.#child = child;
    const over = new AbortController();
    const ended = child.ended.then((end) => {
      over.abort();
      if (this.#child === child) this.#child = null;
      if (end.error) this.#say('error', end.error.message);
      return end;
    });
    try {
      await this.#untilProbed(AbortSignal.any([over.signal, this.#closing.signal]));
    } catch (error) {
      await child.stop();
      throw error;
    }
    this.#readyMs = performance.now() - startedAt;
    this.#readyAt = Date.now();
    if (this.#state === 'restarting') this.#say('info', 'ready again');
    this.#become('ready');
    ended.then((end) => this.#afterDeath(end, decision));
    this.#watch(over.signal);
  }

  /** Tells when it is no longer ready, and when it is again, until this life is over. */
  async #watch(over: AbortSignal): Promise<void> {
    let failed = 0;
    for (;;) {
      try {
        await delay(this.#pace.watchEveryMs, undefined, { signal: over });
        await this.spec.probe(over);
        failed = 0;
        if (over.aborted || this.#state !== 'unready') continue;
        this.#say('info', 'ready again');
        this.#become('ready');
      } catch (error) {
        if (over.aborted) return;
        failed += 1;
        if (failed < failedProbesMin || this.#state !== 'ready') continue;
        this.#say('warn', `not ready: ${messageOf(error)}`);
        this.#become('unready');
      }
    }
  }

  async #untilProbed(over: AbortSignal): Promise<void> {
    const { name, probe } = this.spec;
    const deadline = Date.now() + readyTimeoutMs;
    for (;;) {
      try {
        await probe(over);
        if (!over.aborted) return;
      } catch (error) {
        if (Date.now() > deadline) {
          throw new Error(`${name} did not become ready: ${messageOf(error)}\n${this.tail}`);
        }
      }
      if (over.aborted) throw new Error(`${name} ended before it was ready:\n${this.tail}`);
      await delay(readyPollMs);
    }
  }

  async #afterDeath(end: ChildEnd, decision: number): Promise<void> {
    const meant = () => decision !== this.#decision;
    if (meant()) return;
    if (Date.now() - this.#readyAt > steadyMs) this.#restarts = 0;
    this.#become('restarting');
    let cause = `ended (${end.signal ?? `code ${end.code}`})`;
    while (this.#restarts < restartsMax) {
      const { restartDelayMaxMs } = this.#pace;
      const delayMs = Math.min(restartDelayBaseMs * 2 ** this.#restarts, restartDelayMaxMs);
      this.#restarts += 1;
      this.#say('warn', `${cause}; started again in ${delayMs} ms`);
      try {
        await delay(delayMs, undefined, { signal: this.#closing.signal });
        if (meant()) return;
        return await this.#live(decision);
      } catch (error) {
        if (meant()) return;
        cause = messageOf(error).split('\n', 1).join();
      }
    }
    const attempts = `given up after ${restartsMax} attempts in a row`;
    this.#say('error', `${cause}; ${attempts}: it stays down until everything is started anew`);
    this.#become('failed');
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
