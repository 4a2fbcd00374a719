// A dialect: codecs under the payload types that a player has offered. The media library numbers them for a whole
// router, and whoever answers an offer has to use the offer's numbers (RFC 3264, section 6.1).
import type { RouterRtpCodecCapability, RtpCodecCapability } from 'mediasoup/types';
import { mediaCodecs } from './codecs.ts';

export interface Dialect {
  /** The same for all players that offer the same: browsers of one make do. */
  key: string;
  codecs: RouterRtpCodecCapability[];
}

/** The codecs of the house under the numbers in `offered`; those that are not offered are not spoken. */
export function createDialect(offered: readonly RtpCodecCapability[]): Dialect {
  const codecs = mediaCodecs.flatMap((codec) => {
    const same = offered.find(
      ({ mimeType }) => mimeType.toLowerCase() === codec.mimeType.toLowerCase(),
    );
    return same ? [{ ...codec, preferredPayloadType: same.preferredPayloadType }] : [];
  });
  const key = codecs.map((one) => `${one.mimeType}=${one.preferredPayloadType}`).join(' ');
  return { key, codecs };
}
