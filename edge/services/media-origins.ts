// Media origins: the addresses that viewers may be sent to, whoever reports them.
import type { Config } from '../config.ts';
import { problem } from '../problem.ts';

/** Whether an address of a media node is one that the configuration names. */
export function isMediaUrl(config: Pick<Config, 'MEDIA_ORIGINS'>, url: string): boolean {
  const { origin } = new URL(url);
  return config.MEDIA_ORIGINS.some((known) => new URL(known).origin === origin);
}

/** Refuses `node-not-allowed`: tickets would go to whoever is there. */
export function requireMediaUrl(config: Pick<Config, 'MEDIA_ORIGINS'>, url: string): void {
  if (!isMediaUrl(config, url)) throw problem('node-not-allowed', { url });
}
