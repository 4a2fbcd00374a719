// Ingest: who sends with a stream key, and how often keys that do not exist may be tried.
import type { Context } from 'hono';
import type { IngestProtocol, IngestServers, IngestTicket } from '#contract';
import { Refusal } from '#db';
import type { Config } from '../config.ts';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { bearer } from './access.ts';
import { countRequest, limits } from './rate-limit.ts';
import { hashOfStreamKey } from './stream-keys.ts';
import { grantIngest } from './tickets.ts';

/** Where each protocol of the bridge is spoken: by RTMP the key is a field of its own, by SRT it stands behind. */
export function ingestServers({
  INGEST_RTMP_URL: rtmp,
  INGEST_SRT_URL: srt,
}: Config): IngestServers {
  return { rtmp: rtmp ?? null, srt: srt ? `${srt}?streamid=` : null };
}

/** A ticket for whoever sends their stream key as the bearer token. Refuses what `grantIngest` does. */
export async function grantByStreamKey(
  deps: Deps,
  c: Context<AppEnv>,
  wish: { protocol: IngestProtocol; streamId: string | null },
): Promise<IngestTicket> {
  const hash = await hashOfStreamKey(bearer(c));
  try {
    if (!hash) throw problem('unauthenticated');
    return await grantIngest(deps, c, { hash, ...wish });
  } catch (error) {
    // Whoever tries keys that do not exist is told no more than that after a few.
    if (!hash || isUnknownKey(error)) await countRequest(deps, c, limits.ingestGuess);
    throw error;
  }
}

const isUnknownKey = (error: unknown): boolean =>
  error instanceof Refusal && error.code === 'unauthenticated';
