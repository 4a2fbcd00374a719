// The supervisor: brings up parts and steps, each as soon as what it stands on is ready, and takes them down in turn.
import { EventEmitter } from 'node:events';
import { assert } from '#contract';
import { Part, type PartSpec, type PartState } from './part.ts';

/** Something that is done once on the way up: migrations, a build. */
export interface StepSpec {
  name: string;
  after: string[];
  run(): Promise<void>;
}

export interface PartStatus {
  name: string;
  state: PartState;
  address: string;
  pid: number | undefined;
  /** How long its last start took. */
  readyMs: number | null;
}

interface SupervisorEvents {
  /** A line that a part printed, or that tells of its life. */
  line: [part: string, text: string];
  /** A part or a step has come so far. */
  progress: [name: string, state: PartState | 'done', ms: number | null];
}

export class Supervisor extends EventEmitter<SupervisorEvents> {
  readonly #parts: Map<string, Part>;
  readonly #steps: Map<string, StepSpec>;
  #closed: Promise<void> | null = null;

  private constructor(parts: PartSpec[], steps: StepSpec[]) {
    super();
    this.#parts = new Map(parts.map((spec) => [spec.name, Part.create(spec)]));
    this.#steps = new Map(steps.map((step) => [step.name, step]));
    for (const [name, part] of this.#parts) {
      part.on('line', (text) => this.emit('line', name, text));
      part.on('state', (state) => this.emit('progress', name, state, part.readyMs));
    }
  }

  static create(specs: { parts: PartSpec[]; steps: StepSpec[] }): Supervisor {
    return new Supervisor(specs.parts, specs.steps);
  }

  /** Brings everything up. On the first failure it takes down what runs, and throws. */
  async start(): Promise<void> {
    const begun = new Map<string, Promise<void>>();
    const begin = (name: string): Promise<void> => {
      const known = begun.get(name);
      if (known) return known;
      const coming = this.#bringUp(name, begin);
      begun.set(name, coming);
      return coming;
    };
    try {
      await Promise.all([...this.#parts.keys(), ...this.#steps.keys()].map(begin));
    } catch (error) {
      await this.close();
      // What was on its way fails as well; the first failure is the one that tells.
      await Promise.allSettled(begun.values());
      throw error;
    }
  }

  async #bringUp(name: string, begin: (name: string) => Promise<void>): Promise<void> {
    const part = this.#parts.get(name);
    const step = this.#steps.get(name);
    // Something that is not run here (a real service elsewhere) is ready.
    await Promise.all(
      (part?.spec.after ?? step?.after ?? []).filter((n) => this.#has(n)).map(begin),
    );
    if (this.#closed) throw new Error('stopped');
    if (part) return await part.start();
    const startedAt = performance.now();
    await step?.run();
    this.emit('progress', name, 'done', performance.now() - startedAt);
  }

  #has(name: string): boolean {
    return this.#parts.has(name) || this.#steps.has(name);
  }

  statuses(): PartStatus[] {
    return [...this.#parts.values()].map((part) => ({
      name: part.spec.name,
      state: part.state,
      address: part.spec.address,
      pid: part.pid,
      readyMs: part.readyMs,
    }));
  }

  part(name: string): Part {
    const part = this.#parts.get(name);
    assert(part, `a part called ${name} runs here`);
    return part;
  }

  /** Takes everything down: first what nobody stands on. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const part of this.#parts.values()) part.release();
    const stopping = new Map<string, Promise<void>>();
    const stop = (name: string): Promise<void> => {
      const known = stopping.get(name);
      if (known) return known;
      const dependents = [...this.#parts.keys()].filter((other) => this.#standsOn(other, name));
      const going = Promise.all(dependents.map(stop)).then(() => this.#parts.get(name)?.stop());
      stopping.set(name, going);
      return going;
    };
    await Promise.all([...this.#parts.keys()].map(stop));
  }

  /** Whether `name` needs `other`, directly or by way of steps. */
  #standsOn(name: string, other: string): boolean {
    const after = this.#parts.get(name)?.spec.after ?? this.#steps.get(name)?.after ?? [];
    return after.some(
      (needed) => needed === other || (this.#steps.has(needed) && this.#standsOn(needed, other)),
    );
  }
}
