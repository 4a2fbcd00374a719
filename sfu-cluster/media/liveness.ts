// Liveness: how a node notices that the other side of a transport is gone without a word.
import type { WebRtcTransport } from 'mediasoup/types';

/**
 * Browsers ask for consent all the time (RFC 7675), and whoever falls silent is gone. Some encoders never ask, those on
 * libnice and Pion among them: of these whatever comes is a sign of life, be it media or a receiver's report.
 */
export type Liveness = 'consent' | 'packets';

/** A transport that was not asked for consent for so long is closed. */
export const iceConsentTimeoutSeconds = 20;
/** Receivers report at least every five seconds. */
export const silenceMsMax = 10_000;

/** Closes a transport from whose other side nothing has come for so long, or up to twice that. */
export function closeWhenSilent(transport: WebRtcTransport): void {
  let heardBytes: number | null = null;
  const timer = setInterval(async () => {
    // They cannot be had of a transport that is being closed.
    const [stats] = await transport.getStats().catch(() => []);
    if (!stats) return;
    if (stats.bytesReceived === heardBytes) transport.close();
    heardBytes = stats.bytesReceived;
  }, silenceMsMax);
  transport.observer.once('close', () => clearInterval(timer));
}
