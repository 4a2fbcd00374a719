// Addresses: where the media of one playlist lies, under names that nobody can guess.
import { createGeneration, type Generation } from './generation.ts';
import { segmentsPerPathMax } from './limits.ts';

export interface Address {
  uri: string;
  /** Until when it is good. */
  generation: Generation;
}

export interface Resource {
  body: readonly Buffer[];
  generation: Generation;
}

export interface Addresses {
  /** Where the next part will lie. */
  readonly hintUri: string;
  /** Init segments keep a name of their own: there is nothing to see or hear in them. */
  addInit(data: Buffer): string;
  /** Puts a part where it was hinted at, and hints at the next one. */
  addPart(data: Buffer): Address;
  addSegment(sequence: number, body: readonly Buffer[]): Address;
  /** A segment begins: every few of them the name is a new one. */
  openSegment(): void;
  /**
   * Whoever knows what was told so far cannot count on from it, but for the hinted part, which keeps its address.
   * Answers the generation whose end should be set now; null when nothing was told since the last renewal.
   */
  renew(): Generation | null;
  get(uri: string): Resource | null;
  forget(uri: string): void;
  /** Forgets what belongs to a generation that is over. */
  forgetOver(): void;
}

export function createAddresses(name: string, newPathToken: () => string): Addresses {
  const resources = new Map<string, Resource>();
  const forInits = { path: newPath(), generation: createGeneration(), count: 0 };
  let path = newPath();
  let generation = createGeneration();
  let pathSegments = 0;
  let nextPart = 0;
  /** Something of the present generation was told. */
  let told = false;
  let hint = hintNext();

  function newPath(): string {
    return `${newPathToken()}/${name}`;
  }

  function hintNext(): Address {
    told = true;
    return { uri: `${path}/part-${nextPart++}.m4s`, generation };
  }

  return {
    get hintUri() {
      return hint.uri;
    },
    addInit(data) {
      const uri = `${forInits.path}/init-${++forInits.count}.mp4`;
      resources.set(uri, { body: [data], generation: forInits.generation });
      return uri;
    },
    addPart(data) {
      const address = hint;
      resources.set(address.uri, { body: [data], generation: address.generation });
      hint = hintNext();
      return address;
    },
    addSegment(sequence, body) {
      told = true;
      const address = { uri: `${path}/segment-${sequence}.m4s`, generation };
      resources.set(address.uri, { body, generation });
      return address;
    },
    openSegment() {
      if (++pathSegments <= segmentsPerPathMax) return;
      path = newPath();
      pathSegments = 1;
    },
    renew() {
      if (!told) return null;
      const before = generation;
      path = newPath();
      generation = createGeneration();
      pathSegments = 0;
      told = false;
      return before;
    },
    get: (uri) => resources.get(uri) ?? null,
    forget(uri) {
      resources.delete(uri);
    },
    forgetOver() {
      for (const [uri, resource] of resources) {
        if (resource.generation.over) resources.delete(uri);
      }
      // Nothing has come for long: what comes next must not lie where those look who were sent away.
      if (hint.generation.over) hint = hintNext();
    },
  };
}
