// The cluster: the figures of all nodes at one moment, and its streams over all of them.
import { z } from 'zod';
import { SfuNodeSeen, SfuStats } from '#contract';
import type { Sources } from './sources.ts';

const answerTimeoutMs = 1_500;
/** Beyond that somebody has not answered for long enough to be called silent. */
const silentAfterMs = 4_000;

export type NodeState = 'ready' | 'draining' | 'silent' | 'unreachable';

export interface NodeView {
  name: string;
  state: NodeState;
  country: string | null;
  load: number | null;
  viewersMax: number | null;
  /** Null when the node did not answer: then the registry alone tells of it. */
  stats: SfuStats | null;
}

export interface StreamView {
  streamId: string;
  viewers: number;
  publishedOn: string | null;
  /** On how many nodes it has a room. */
  nodes: number;
  bitrateInBps: number;
  bitrateOutBps: number;
  /** Of its worst track, where it is published; null while nothing is known. */
  score: number | null;
  keyframeRequests: number;
  /** Share of the watched time for which the picture stood still; null while no viewer has told. */
  frozenShare: number | null;
}

export interface Cluster {
  nodes: NodeView[];
  /** Most viewers first. */
  streams: StreamView[];
}

export interface ClusterReader {
  /** Never rejects: who does not answer is in it as unreachable. */
  read(): Promise<Cluster>;
}

export function createClusterReader({ addresses, secret, follows }: Sources): ClusterReader {
  /** Addresses that have answered, by node; they are asked again though the registry may have changed. */
  const known = new Map<string, string>();

  async function ask<T>(address: string, path: string, shape: z.ZodType<T>): Promise<T | null> {
    try {
      const answer = await fetch(`${address}${path}`, {
        headers: { authorization: `Bearer ${secret}` },
        signal: AbortSignal.timeout(answerTimeoutMs),
      });
      return answer.ok ? shape.parse(await answer.json()) : null;
    } catch {
      // Away, or of another version: shown as such.
      return null;
    }
  }

  async function askMembers(answers: Map<string, SfuStats | null>): Promise<SfuNodeSeen[]> {
    for (const [address, stats] of answers) {
      const seen = stats && (await ask(address, '/nodes', z.array(SfuNodeSeen)));
      if (seen) return seen;
    }
    return [];
  }

  async function askAll(asked: string[]): Promise<Map<string, SfuStats | null>> {
    const stats = await Promise.all(asked.map((address) => ask(address, '/stats', SfuStats)));
    return new Map(asked.map((address, index) => [address, stats[index] ?? null]));
  }

  return {
    async read() {
      const answers = await askAll([...new Set([...addresses, ...known.values()])]);
      const members = await askMembers(answers);
      const answered = () => new Set([...answers.values()].map((stats) => stats?.nodeId));
      if (follows) {
        const strangers = members.filter(({ nodeId }) => !answered().has(nodeId));
        const further = await askAll(strangers.map(({ url }) => addressOf(url)));
        for (const [address, stats] of further) if (stats) answers.set(address, stats);
      }
      for (const [address, stats] of answers) if (stats) known.set(stats.nodeId, address);
      const away = members.filter(({ nodeId }) => !answered().has(nodeId));
      const nodes = [
        ...[...answers.values()].flatMap((stats) => (stats ? [nodeOf(stats)] : [])),
        ...away.map(memberOf),
        // The local stack may well have one node: then nobody misses the other.
        ...(follows || members.length === 0 ? strangersOf(answers, known) : []),
      ];
      nodes.sort((a, b) => (a.name < b.name ? -1 : 1));
      return { nodes, streams: streamsOf(nodes) };
    },
  };
}

/** Room sockets and figures are served by the same server. */
function addressOf(socketUrl: string): string {
  return new URL(socketUrl.replace(/^ws/, 'http')).origin;
}

function nodeOf(stats: SfuStats): NodeView {
  const { nodeId, draining, country, load, viewersMax } = stats;
  const state = draining ? 'draining' : 'ready';
  return { name: nodeId, state, country, load, viewersMax, stats };
}

function memberOf({ nodeId, country, load, viewersMax, silentMs }: SfuNodeSeen): NodeView {
  const state = silentMs > silentAfterMs ? 'silent' : 'unreachable';
  return { name: nodeId, state, country, load, viewersMax, stats: null };
}

/** Addresses that were named and at which nobody has ever answered. */
function strangersOf(
  answers: Map<string, SfuStats | null>,
  known: Map<string, string>,
): NodeView[] {
  const heard = new Set(known.values());
  return [...answers].flatMap(([address, stats]): NodeView[] =>
    stats || heard.has(address)
      ? []
      : [
          {
            name: address,
            state: 'unreachable',
            ...{ country: null, load: null, viewersMax: null, stats: null },
          },
        ],
  );
}

function streamsOf(nodes: NodeView[]): StreamView[] {
  const byId = new Map<string, { node: string; room: SfuStats['rooms'][number] }[]>();
  for (const { name, stats } of nodes) {
    for (const room of stats?.rooms ?? []) {
      byId.set(room.streamId, [...(byId.get(room.streamId) ?? []), { node: name, room }]);
    }
  }
  return [...byId]
    .map(([streamId, parts]) => streamOf(streamId, parts))
    .sort((a, b) => b.viewers - a.viewers || (a.streamId < b.streamId ? -1 : 1));
}

function streamOf(
  streamId: string,
  parts: { node: string; room: SfuStats['rooms'][number] }[],
): StreamView {
  const sum = (value: (room: SfuStats['rooms'][number]) => number) =>
    parts.reduce((total, { room }) => total + value(room), 0);
  const home = parts.find(({ room }) => room.publishing);
  const scores = Object.values((home ?? parts[0])?.room.scores ?? {});
  const watchedMs = sum((room) => room.watchedMs);
  return {
    streamId,
    viewers: sum((room) => room.viewers),
    publishedOn: home?.node ?? null,
    nodes: parts.length,
    bitrateInBps: home?.room.bitrateInBps ?? 0,
    bitrateOutBps: sum((room) => room.bitrateOutBps),
    score: scores.length > 0 ? Math.min(...scores) : null,
    keyframeRequests: home?.room.keyframeRequests ?? 0,
    frozenShare: watchedMs > 0 ? sum((room) => room.frozenMs) / watchedMs : null,
  };
}
