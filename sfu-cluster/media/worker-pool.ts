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

/** A worker takes nobody beyond this share of what it can carry: what it has must not suffer. */
const workerFullShare = 0.9;
/** From this share on a room is copied to a further worker, if that one is emptier by so much. */
const copyFromShare = 0.5;
const copyGainMin = 0.2;

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
  deaths: number;
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
      deaths: 0,
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

  /** Each place for a worker, with who is there, if anybody, and how many have died there. */
  get slots(): { index: number; worker: MediaWorker | null; deaths: number }[] {
    return this.#slots;
  }

  /** 0 is idle, 1 is full; a worker that is down carries nothing and counts as full. */
  get load(): number {
    const loads = this.#slots.map((slot) => slot.worker?.share ?? 1);
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

  /**
   * The worker for somebody who watches a room that runs on these workers already. A further copy of the room costs a
   * pipe, so it is made only when those that have one are half full and another is clearly emptier. Refuses `no-room`.
   */
  placeViewer(carrying: readonly MediaWorker[]): MediaWorker {
    const free = this.workers
      .filter(({ share }) => share < workerFullShare)
      .sort((a, b) => a.share - b.share);
    const there = free.find((worker) => carrying.includes(worker));
    const elsewhere = free.find((worker) => !carrying.includes(worker));
    const isWorthACopy =
      there === undefined ||
      (elsewhere !== undefined &&
        there.share >= copyFromShare &&
        elsewhere.share <= there.share - copyGainMin);
    const worker = isWorthACopy ? (elsewhere ?? there) : there;
    if (!worker) throw refusal('no-room', 'this node can carry no more viewers');
    return worker;
  }

  /** How many may watch here, and how many do. */
  get viewers(): { now: number; max: number } {
    const now = this.workers.reduce((sum, { viewers }) => sum + viewers, 0);
    return { now, max: this.#slots.length * this.#media.viewersPerWorker };
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
      slot.deaths += 1;
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
