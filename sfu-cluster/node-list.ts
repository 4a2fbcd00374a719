// The node list: who stands in the registry, so that who may see one node's figures finds all of them.
import type { Redis } from 'ioredis';
import { SfuNode, type SfuNodeSeen, sfuNodesKey } from '#contract';

/** Who has been silent for longer is not missed any more. */
const silenceShownMsMax = 60_000;

/** Rejects while Redis is away. Entries that cannot be read are of another version, and left out. */
export async function readNodeList(redis: Redis): Promise<SfuNodeSeen[]> {
  const [entries, [seconds, micros]] = await Promise.all([
    redis.hgetall(sfuNodesKey),
    redis.time(),
  ]);
  const nowMs = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  return Object.values(entries)
    .flatMap((text) => SfuNode.safeParse(parseJson(text)).data ?? [])
    .map((node) => ({ ...node, silentMs: Math.max(0, nowMs - node.seenAt) }))
    .filter(({ silentMs }) => silentMs <= silenceShownMsMax)
    .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
