// The branches of a room: the home, and one for each further worker, and each kind of player, that its viewers need.
import type { Producer, Transport, WebRtcTransport } from 'mediasoup/types';
import { refusal } from '../refusals.ts';
import { Branch } from './branch.ts';
import type { Dialect } from './dialect.ts';
import type { Liveness } from './liveness.ts';
import type { MediaWorker } from './worker.ts';
import type { WorkerPool } from './worker-pool.ts';

/** A branch that nobody watches is kept so long: whoever leaves may come back, and others come. */
export const branchLingersMs = 5_000;
/** Each is a further copy of the room's media on its worker; players of one make share one. */
export const dialectsMax = 16;
export const dialectsPerSubjectMax = 4;

export interface ViewerPlace {
  dialect?: Dialect | null;
  /** Who asks: one person brings only so many dialects into a room. */
  subject?: string;
  liveness?: Liveness;
}

export class Branches {
  /** Where the tracks are published. */
  readonly home: Branch;
  readonly #pool: WorkerPool;
  /** Called when a branch has lost its last viewer. */
  readonly #left: () => void;
  readonly #byWorker = new Map<MediaWorker, Promise<Branch>>();
  /** Branches of players that number codecs in their own way, by worker and dialect. */
  readonly #dialects = new Map<string, Promise<Branch>>();
  /** By the same: who came with the first player of that kind. */
  readonly #broughtBy = new Map<string, string>();
  readonly #living = new Set<Branch>();
  readonly #branchOf = new WeakMap<Transport, Branch>();
  readonly #lingering = new Map<Branch, NodeJS.Timeout>();

  constructor(pool: WorkerPool, home: Branch, left: () => void) {
    this.home = home;
    this.#pool = pool;
    this.#left = left;
    this.#byWorker.set(home.worker, Promise.resolve(home));
    this.#living.add(home);
  }

  get all(): Branch[] {
    return [...this.#living];
  }

  /** People who watch, on all of them. */
  get viewers(): number {
    return this.all.reduce((sum, branch) => sum + branch.viewers, 0);
  }

  /** For somebody who watches: on a worker that has room. Refuses `no-room`. */
  async openViewerTransport({
    dialect = null,
    subject = '',
    liveness,
  }: ViewerPlace): Promise<WebRtcTransport> {
    const worker = this.#pool.placeViewer([...this.#byWorker.keys()]);
    const branch = await (dialect
      ? this.#dialectOn(worker, dialect, subject)
      : this.#branchOn(worker));
    const lingering = this.#lingering.get(branch);
    if (lingering) clearTimeout(lingering);
    this.#lingering.delete(branch);
    const transport = await branch.openViewerTransport(() => this.#emptied(branch), liveness);
    this.#branchOf.set(transport, branch);
    return transport;
  }

  /** Brings a track to where this transport is, and answers the id that it has there. */
  async carry(transport: Transport, producer: Producer): Promise<string> {
    const branch = this.#branchOf.get(transport);
    const isElsewhere = branch !== undefined && branch !== this.home;
    return isElsewhere ? branch.carry(this.home, producer) : producer.id;
  }

  close(): void {
    for (const timer of this.#lingering.values()) clearTimeout(timer);
    this.#lingering.clear();
    // Those that are still being made close as soon as they are.
    for (const branch of this.#living) branch.close();
    this.#living.clear();
    this.#byWorker.clear();
    this.#dialects.clear();
  }

  #branchOn(worker: MediaWorker): Promise<Branch> {
    return this.#branchIn(this.#byWorker, worker, () => Branch.create(worker));
  }

  #dialectOn(worker: MediaWorker, dialect: Dialect, subject: string): Promise<Branch> {
    const key = `${worker.index} ${dialect.key}`;
    if (!this.#dialects.has(key)) {
      const theirs = [...this.#dialects.keys()].filter(
        (one) => this.#broughtBy.get(one) === subject,
      );
      if (this.#dialects.size >= dialectsMax || theirs.length >= dialectsPerSubjectMax) {
        throw refusal('no-room', 'players of too many kinds watch this room');
      }
      this.#broughtBy.set(key, subject);
    }
    const forget = () => this.#broughtBy.delete(key);
    return this.#branchIn(this.#dialects, key, async () => {
      const branch = await Branch.create(worker, dialect).catch((error) => {
        forget();
        throw error;
      });
      branch.router.observer.once('close', forget);
      return branch;
    });
  }

  #branchIn<K>(
    branches: Map<K, Promise<Branch>>,
    key: K,
    create: () => Promise<Branch>,
  ): Promise<Branch> {
    const known = branches.get(key);
    if (known) return known;
    const making = create().then((branch) => {
      this.#living.add(branch);
      branch.router.observer.once('close', () => {
        this.#living.delete(branch);
        if (branches.get(key) === making) branches.delete(key);
      });
      if (this.home.closed) branch.close();
      return branch;
    });
    branches.set(key, making);
    making.catch(() => {
      if (branches.get(key) === making) branches.delete(key);
    });
    return making;
  }

  #emptied(branch: Branch): void {
    this.#left();
    if (branch === this.home || branch.closed) return;
    const timer = setTimeout(() => {
      this.#lingering.delete(branch);
      if (branch.viewers === 0) branch.close();
    }, branchLingersMs);
    this.#lingering.set(branch, timer);
  }
}
