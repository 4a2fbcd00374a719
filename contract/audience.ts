// Audiences: who watches a stream, as media nodes write it to Redis; each viewer once, over all nodes and ways of watching.
//
// For each stream a node keeps one part: a set of its viewers, by keyed hashes of their ids. Up to
// `audienceExactMax` viewers it is a set, and counted exactly; beyond it is a HyperLogLog of 12 KiB, whose standard
// error is 0.81 %. A part lives for `audienceTtlMs` from the last beat of its node: viewers of one that is dead vanish.

/** How often a node writes who watches there. */
export const audienceBeatMs = 3_000;
/** Three beats; with the pace of the count it takes no more than 15 seconds until nobody of a dead node is counted. */
export const audienceTtlMs = 9_000;
export const audienceExactMax = 5_000;
/** Viewers named in one command. */
const namedMax = 1_000;

/** Sorted set of the keys of all parts, by when they end, in milliseconds since the epoch. */
export const audiencePartsKey = 'audience:parts';

const kinds = ['exact', 'estimate'] as const;
export type AudienceKind = (typeof kinds)[number];
export interface AudiencePart {
  streamId: string;
  kind: AudienceKind;
}

/** The keys of one stream lie together, also where keys are spread over machines. */
function partKey({ streamId, kind }: AudiencePart, nodeId: string): string {
  return `audience:{${streamId}}:${kind}:${nodeId}`;
}

/** Where parts of both kinds are counted together, for a moment. */
export function audienceUnionKey(streamId: string): string {
  return `audience:{${streamId}}:union`;
}

const partPattern = /^audience:\{([0-9a-f-]{36})\}:(exact|estimate):./;

/** What a part's key tells; null for another key. */
export function audiencePartOf(key: string): AudiencePart | null {
  const [, streamId, name] = partPattern.exec(key) ?? [];
  const kind = kinds.find((each) => each === name);
  return streamId && kind ? { streamId, kind } : null;
}

interface AudienceBookDeps {
  nodeId: string;
  /** A keyed hash that means the same on every node, and nothing to anybody else. */
  hash(text: string): string;
  /** Sends commands that belong together; answers what the last one answers. Rejects when one of them fails. */
  send(commands: string[][]): Promise<unknown>;
  /** A part could not be written; the next beat writes all of it. */
  onFault(error: unknown): void;
}

type Members = ReadonlySet<string>;
export type Watching = Iterable<readonly [streamId: string, subjects: Iterable<string>]>;

/** Writes who watches on one node; remembers what is written, so that each beat tells only what has changed. */
export function createAudienceBook({ nodeId, hash, send, onFault }: AudienceBookDeps) {
  const written = new Map<string, { kind: AudienceKind; members: Members }>();
  let hashes = new Map<string, string>();

  function membersOf(watching: Watching): Map<string, Members> {
    // Hashes are kept for those who are still here.
    const kept: typeof hashes = new Map();
    const found = new Map<string, Members>();
    for (const [streamId, subjects] of watching) {
      const members = new Set<string>();
      for (const subject of subjects) {
        const name = `${streamId}:${subject}`;
        const member = hashes.get(name) ?? hash(name);
        kept.set(name, member);
        members.add(member);
      }
      found.set(streamId, members);
    }
    hashes = kept;
    return found;
  }

  function erasing(streamId: string): string[][] {
    const keys = kinds.map((kind) => partKey({ streamId, kind }, nodeId));
    return [
      ['del', ...keys],
      ['zrem', audiencePartsKey, ...keys],
    ];
  }

  function changing({ streamId, kind }: AudiencePart, members: Members): string[][] {
    const key = partKey({ streamId, kind }, nodeId);
    const before = written.get(streamId);
    const all = [...members];
    if (kind === 'estimate') return [...erasing(streamId), ...chunked('pfadd', key, all)];
    if (before?.kind !== kind) return [...erasing(streamId), ...chunked('sadd', key, all)];
    const come = all.filter((member) => !before.members.has(member));
    const gone = [...before.members].filter((member) => !members.has(member));
    return [...chunked('sadd', key, come), ...chunked('srem', key, gone)];
  }

  async function write(streamId: string, members: Members, nowMs: number): Promise<void> {
    const kind = members.size > audienceExactMax ? 'estimate' : 'exact';
    const key = partKey({ streamId, kind }, nodeId);
    const told = await send([
      ...changing({ streamId, kind }, members),
      ['zadd', audiencePartsKey, String(nowMs + audienceTtlMs), key],
      ['pexpire', key, String(audienceTtlMs)],
      ...(kind === 'exact' ? [['scard', key]] : []),
    ]);
    // What was lost meanwhile, or is another process's of the same name, shows in the number.
    const isWhole = kind === 'estimate' || told === members.size;
    if (isWhole) written.set(streamId, { kind, members });
    else written.delete(streamId);
  }

  async function erase(streamId: string): Promise<void> {
    await send(erasing(streamId));
    written.delete(streamId);
  }

  async function tried(streamId: string, act: Promise<void>): Promise<void> {
    try {
      await act;
    } catch (error) {
      written.delete(streamId);
      onFault(error);
    }
  }

  return {
    /** Writes who watches now; streams that nobody watches here are taken away. Never rejects. */
    async beat(watching: Watching, nowMs: number): Promise<void> {
      const found = membersOf(watching);
      const left = [...written.keys()].filter((streamId) => !found.get(streamId)?.size);
      const here = [...found].filter(([, members]) => members.size > 0);
      await Promise.all([
        ...left.map((streamId) => tried(streamId, erase(streamId))),
        ...here.map(([streamId, members]) => tried(streamId, write(streamId, members, nowMs))),
      ]);
    },
  };
}

function chunked(command: string, key: string, members: readonly string[]): string[][] {
  const commands: string[][] = [];
  for (let from = 0; from < members.length; from += namedMax) {
    commands.push([command, key, ...members.slice(from, from + namedMax)]);
  }
  return commands;
}
