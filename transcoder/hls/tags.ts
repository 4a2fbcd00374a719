// HLS tags: one function for each tag that the playlists use (RFC 8216bis, section 4.4).

export type AttributeValue = { text: string } | { raw: string | number };

/** An attribute in double quotes. */
export function text(value: string): AttributeValue {
  return { text: value };
}

/** A number or an enumerated word, without quotes. */
export function raw(value: string | number): AttributeValue {
  return { raw: value };
}

/** `NAME=value` pairs in the order given; undefined ones are left out. */
export function attributes(list: Record<string, AttributeValue | undefined>): string {
  return Object.entries(list)
    .flatMap(([name, value]) => {
      if (!value) return [];
      return 'text' in value ? [`${name}="${value.text}"`] : [`${name}=${value.raw}`];
    })
    .join(',');
}

/** Seconds with as many digits as the timescales deserve. */
export function seconds(value: number): string {
  return value.toFixed(5);
}

export const headerTag = '#EXTM3U';
export const versionTag = '#EXT-X-VERSION:9';
export const independentSegmentsTag = '#EXT-X-INDEPENDENT-SEGMENTS';
export const discontinuityTag = '#EXT-X-DISCONTINUITY';
export const endListTag = '#EXT-X-ENDLIST';

export function targetDurationTag(wholeSeconds: number): string {
  return `#EXT-X-TARGETDURATION:${wholeSeconds}`;
}

export function serverControlTag(control: {
  partHoldBackSeconds: number;
  holdBackSeconds: number;
  canSkipUntilSeconds: number;
}): string {
  return `#EXT-X-SERVER-CONTROL:${attributes({
    'CAN-BLOCK-RELOAD': raw('YES'),
    'PART-HOLD-BACK': raw(control.partHoldBackSeconds.toFixed(3)),
    'HOLD-BACK': raw(control.holdBackSeconds.toFixed(3)),
    'CAN-SKIP-UNTIL': raw(control.canSkipUntilSeconds.toFixed(3)),
  })}`;
}

export function partInfTag(partTargetSeconds: number): string {
  return `#EXT-X-PART-INF:${attributes({ 'PART-TARGET': raw(seconds(partTargetSeconds)) })}`;
}

export function mediaSequenceTag(sequence: number): string {
  return `#EXT-X-MEDIA-SEQUENCE:${sequence}`;
}

export function discontinuitySequenceTag(sequence: number): string {
  return `#EXT-X-DISCONTINUITY-SEQUENCE:${sequence}`;
}

export function skipTag(skippedSegments: number): string {
  return `#EXT-X-SKIP:${attributes({ 'SKIPPED-SEGMENTS': raw(skippedSegments) })}`;
}

export function mapTag(uri: string): string {
  return `#EXT-X-MAP:${attributes({ URI: text(uri) })}`;
}

export function programDateTimeTag(epochMs: number): string {
  return `#EXT-X-PROGRAM-DATE-TIME:${new Date(epochMs).toISOString()}`;
}

export function partTag(part: {
  uri: string;
  durationSeconds: number;
  independent: boolean;
}): string {
  return `#EXT-X-PART:${attributes({
    DURATION: raw(seconds(part.durationSeconds)),
    URI: text(part.uri),
    INDEPENDENT: part.independent ? raw('YES') : undefined,
  })}`;
}

export function segmentTag(durationSeconds: number): string {
  return `#EXTINF:${seconds(durationSeconds)},`;
}

export function preloadHintTag(uri: string): string {
  return `#EXT-X-PRELOAD-HINT:${attributes({ TYPE: raw('PART'), URI: text(uri) })}`;
}

export function renditionReportTag(report: {
  uri: string;
  sequence: number;
  part: number;
}): string {
  return `#EXT-X-RENDITION-REPORT:${attributes({
    URI: text(report.uri),
    'LAST-MSN': raw(report.sequence),
    'LAST-PART': raw(report.part),
  })}`;
}

export function mediaTag(list: Record<string, AttributeValue | undefined>): string {
  return `#EXT-X-MEDIA:${attributes(list)}`;
}

export function streamInfTag(list: Record<string, AttributeValue | undefined>): string {
  return `#EXT-X-STREAM-INF:${attributes(list)}`;
}
