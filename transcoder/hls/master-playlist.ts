// Master playlist: the renditions of a stream, and how a player chooses among them.
import * as tag from './tags.ts';

export interface VideoVariant {
  /** Relative to the master playlist. */
  uri: string;
  codec: string;
  width: number;
  height: number;
  /** Pictures per second, measured; null while unknown. */
  frameRate: number | null;
  peakBitsPerSecond: number;
  averageBitsPerSecond: number;
}

export interface AudioRendition {
  uri: string;
  codec: string;
  channels: number;
  peakBitsPerSecond: number;
  averageBitsPerSecond: number;
}

const audioGroup = 'audio';

/** Best variant first, as the first one is where players start. */
export function renderMasterPlaylist(
  variants: readonly VideoVariant[],
  audio: AudioRendition | null,
): string {
  const lines = [tag.headerTag, tag.versionTag, tag.independentSegmentsTag];
  if (audio && variants.length > 0) lines.push(audioTag(audio));
  for (const variant of variants) lines.push(variantTag(variant, audio), variant.uri);
  if (audio && variants.length === 0) lines.push(audioOnlyTag(audio), audio.uri);
  return `${lines.join('\n')}\n`;
}

function audioTag(audio: AudioRendition): string {
  return tag.mediaTag({
    TYPE: tag.raw('AUDIO'),
    'GROUP-ID': tag.text(audioGroup),
    NAME: tag.text('main'),
    DEFAULT: tag.raw('YES'),
    AUTOSELECT: tag.raw('YES'),
    CHANNELS: tag.text(String(audio.channels)),
    URI: tag.text(audio.uri),
  });
}

function variantTag(variant: VideoVariant, audio: AudioRendition | null): string {
  const bits = (kind: 'peakBitsPerSecond' | 'averageBitsPerSecond') =>
    Math.ceil(variant[kind] + (audio?.[kind] ?? 0));
  return tag.streamInfTag({
    BANDWIDTH: tag.raw(bits('peakBitsPerSecond')),
    'AVERAGE-BANDWIDTH': tag.raw(bits('averageBitsPerSecond')),
    CODECS: tag.text(audio ? `${variant.codec},${audio.codec}` : variant.codec),
    RESOLUTION: tag.raw(`${variant.width}x${variant.height}`),
    'FRAME-RATE': variant.frameRate === null ? undefined : tag.raw(variant.frameRate.toFixed(3)),
    AUDIO: audio ? tag.text(audioGroup) : undefined,
  });
}

function audioOnlyTag(audio: AudioRendition): string {
  return tag.streamInfTag({
    BANDWIDTH: tag.raw(Math.ceil(audio.peakBitsPerSecond)),
    'AVERAGE-BANDWIDTH': tag.raw(Math.ceil(audio.averageBitsPerSecond)),
    CODECS: tag.text(audio.codec),
  });
}
