// The worker pool: one media worker per core, each replaced when it dies, and their common load.
import { EventEmitter, once } from 'node:events';
import type { Logger } from 'pino';
import type { SfuConfig } from '../config.ts';
import { withDeadline } from '../deadline.ts';
import { refusal } from '../refusals.ts';
import { MediaWorker } from './worker.ts';

/** Wait before a dead worker is replaced; doubles while replacements do not live, up to the maximum. */
const restartDelayMinMs = 50;
const restartDelayMaxMs = 10_000;
/** A worker that has lived so long has proved itself: the next restart is a quick one again. */
const provenAfterMs = 60_000;

/** A request that comes while no worker runs waits so long for one. */
const workerAwaitedMs = 3_000;

interface WorkerPoolEvents {
  started: [];
}

interface Slot {
  index: number;
  worker: MediaWorker | null;
  restart: NodeJS.Timeout | null;
  restartDelayMs: number;
  startedAtMs: number;
}

export class WorkerPool extends EventEmitter<WorkerPoolEvents> {
  readonly #media: SfuConfig['media'];
  readonly #log: Logger;
  readonly #slots: Slot[];
  #closed = false;

  private constructor(media: SfuConfig['media'], log: Logger) {
    super();
    this.#media = media;
    this.#log = log;
    this.#slots = Array.from({ length: media.workers }, (_, index) => ({
      index,
      worker: null,
      restart: null,
      restartDelayMs: restartDelayMinMs,
      startedAtMs: 0,
    }));
  }

  /** Starts all workers; throws when the first start of one fails, which is a fault of the set-up. */
  static async create(media: SfuConfig['media'], log: Logger): Promise<WorkerPool> {
    const pool = new WorkerPool(media, log);
    try {
      await Promise.all(pool.#slots.map((slot) => pool.#start(slot)));
    } catch (error) {
      pool.close();
      throw error;
    }
    return pool;
  }

  /** Workers that run now. */
  get workers(): MediaWorker[] {
    return this.#slots.flatMap((slot) => (slot.worker ? [slot.worker] : []));
  }

  /** 0 is idle, 1 is full; a worker that is down carries nothing and counts as full. */
  get load(): number {
    const loads = this.#slots.map((slot) => slot.worker?.cpuLoad ?? 1);
    return loads.reduce((sum, load) => sum + load, 0) / loads.length;
  }

  /**
   * The worker for the next room: the least busy one, and among equals the one with fewest rooms.
   * When none runs, the next one to start is waited for a moment: those whose worker has just
   * died come back faster than it does.
   */
  async pick(): Promise<MediaWorker> {
    if (this.workers.length === 0 && !this.#closed) {
      await withDeadline(once(this, 'started'), workerAwaitedMs, () =>
        refusal('unavailable', 'no media worker runs at the moment'),
      );
    }
    const [best] = this.workers.sort(
      (a, b) => Math.round((a.cpuLoad - b.cpuLoad) * 10) || a.routers - b.routers,
    );
    if (!best) throw refusal('unavailable', 'no media worker runs at the moment');
    return best;
  }

  async measure(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.measure()));
  }

  /** How many workers answer a real question within `timeoutMs`, of how many there should be. */
  async probe(timeoutMs: number): Promise<{ answering: number; expected: number }> {
    const answers = await Promise.allSettled(this.workers.map((worker) => worker.probe(timeoutMs)));
    return {
      answering: answers.filter((answer) => answer.status === 'fulfilled').length,
      expected: this.#slots.length,
    };
  }

  close(): void {
    this.#closed = true;
    for (const slot of this.#slots) {
      if (slot.restart) clearTimeout(slot.restart);
      slot.worker?.close();
      slot.worker = null;
    }
  }

  async #start(slot: Slot): Promise<void> {
    const worker = await MediaWorker.create(slot.index, this.#media, this.#log);
    if (this.#closed) {
      worker.close();
      return;
    }
    slot.worker = worker;
    slot.startedAtMs = performance.now();
    this.emit('started');
    worker.once('died', () => {
      slot.worker = null;
      if (performance.now() - slot.startedAtMs > provenAfterMs) {
        slot.restartDelayMs = restartDelayMinMs;
      }
      this.#restartLater(slot);
    });
  }

  #restartLater(slot: Slot): void {
    if (this.#closed) return;
    const delayMs = slot.restartDelayMs;
    slot.restartDelayMs = Math.min(delayMs * 2, restartDelayMaxMs);
    slot.restart = setTimeout(() => {
      slot.restart = null;
      this.#start(slot).catch((error: unknown) => {
        this.#log.error({ err: error, worker: slot.index }, 'a media worker did not start');
        this.#restartLater(slot);
      });
    }, delayMs);
  }
}
