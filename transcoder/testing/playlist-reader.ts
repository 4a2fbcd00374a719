// Playlist reader for tests: parses a media playlist, and knows the rules that it must keep.

export interface ReadPart {
  uri: string;
  durationSeconds: number;
  independent: boolean;
}

export interface ReadSegment {
  sequence: number;
  /** Null while the segment is being written. */
  uri: string | null;
  durationSeconds: number;
  mapUri: string;
  discontinuity: number;
  programDateTimeMs: number | null;
  parts: ReadPart[];
}

export interface ReadPlaylist {
  text: string;
  targetDurationSeconds: number;
  partTargetSeconds: number;
  control: Record<string, string>;
  mediaSequence: number;
  discontinuitySequence: number;
  independentSegments: boolean;
  skipped: number;
  segments: ReadSegment[];
  hintUri: string | null;
  reports: Record<string, string>[];
  ended: boolean;
}

export function readAttributes(text: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const match of text.matchAll(/([A-Z0-9-]+)=(?:"([^"]*)"|([^,]*))/g)) {
    out[match[1] ?? ''] = match[2] ?? match[3] ?? '';
  }
  return out;
}

/** Throws on tags that it does not know, so that no test overlooks one. */
export function readPlaylist(text: string): ReadPlaylist {
  const lines = text.split('\n');
  if (lines[0] !== '#EXTM3U') throw new Error('does not begin with #EXTM3U');
  const out: ReadPlaylist = {
    text,
    targetDurationSeconds: 0,
    partTargetSeconds: 0,
    control: {},
    mediaSequence: 0,
    discontinuitySequence: 0,
    independentSegments: false,
    skipped: 0,
    segments: [],
    hintUri: null,
    reports: [],
    ended: false,
  };
  let mapUri = '';
  let discontinuity = 0;
  let open: ReadSegment | null = null;

  const segment = (): ReadSegment => {
    open ??= {
      sequence: out.mediaSequence + out.skipped + out.segments.length,
      uri: null,
      durationSeconds: 0,
      mapUri,
      discontinuity: out.discontinuitySequence + discontinuity,
      programDateTimeMs: null,
      parts: [],
    };
    return open;
  };

  for (const line of lines.slice(1)) {
    const at = line.indexOf(':');
    const name = line.startsWith('#') && at > 0 ? line.slice(0, at) : line;
    const value = line.slice(at + 1);
    switch (name) {
      case '':
      case '#EXT-X-VERSION':
        break;
      case '#EXT-X-TARGETDURATION':
        out.targetDurationSeconds = Number(value);
        break;
      case '#EXT-X-SERVER-CONTROL':
        out.control = readAttributes(value);
        break;
      case '#EXT-X-PART-INF':
        out.partTargetSeconds = Number(readAttributes(value)['PART-TARGET']);
        break;
      case '#EXT-X-MEDIA-SEQUENCE':
        out.mediaSequence = Number(value);
        break;
      case '#EXT-X-DISCONTINUITY-SEQUENCE':
        out.discontinuitySequence = Number(value);
        break;
      case '#EXT-X-INDEPENDENT-SEGMENTS':
        out.independentSegments = true;
        break;
      case '#EXT-X-SKIP':
        out.skipped = Number(readAttributes(value)['SKIPPED-SEGMENTS']);
        break;
      case '#EXT-X-DISCONTINUITY':
        discontinuity++;
        break;
      case '#EXT-X-MAP':
        mapUri = readAttributes(value).URI ?? '';
        break;
      case '#EXT-X-PROGRAM-DATE-TIME':
        segment().programDateTimeMs = Date.parse(value);
        break;
      case '#EXT-X-PART': {
        const part = readAttributes(value);
        segment().parts.push({
          uri: part.URI ?? '',
          durationSeconds: Number(part.DURATION),
          independent: part.INDEPENDENT === 'YES',
        });
        break;
      }
      case '#EXTINF':
        segment().durationSeconds = Number.parseFloat(value);
        break;
      case '#EXT-X-PRELOAD-HINT':
        out.hintUri = readAttributes(value).URI ?? null;
        break;
      case '#EXT-X-RENDITION-REPORT':
        out.reports.push(readAttributes(value));
        break;
      case '#EXT-X-ENDLIST':
        out.ended = true;
        break;
      default: {
        if (line.startsWith('#')) throw new Error(`unknown tag: ${line}`);
        const finished = segment();
        finished.uri = line;
        out.segments.push(finished);
        open = null;
      }
    }
  }
  if (open) out.segments.push(open);
  return out;
}

const roundingSeconds = 0.00002;
const partFillMin = 0.85;

/** What the playlist does wrong by RFC 8216bis; empty when all is well. */
export function playlistFaults(playlist: ReadPlaylist): string[] {
  const faults: string[] = [];
  const fault = (condition: boolean, text: string) => {
    if (condition) faults.push(text);
  };
  const { partTargetSeconds: target, targetDurationSeconds } = playlist;
  const control = (name: string) => Number(playlist.control[name]);
  fault(playlist.control['CAN-BLOCK-RELOAD'] !== 'YES', 'no CAN-BLOCK-RELOAD');
  fault(control('PART-HOLD-BACK') < 3 * target - roundingSeconds, 'PART-HOLD-BACK below 3 parts');
  fault(control('HOLD-BACK') < 3 * targetDurationSeconds, 'HOLD-BACK below 3 target durations');
  fault(control('CAN-SKIP-UNTIL') < 6 * targetDurationSeconds, 'CAN-SKIP-UNTIL below 6 targets');
  fault(!playlist.ended && playlist.hintUri === null, 'no preload hint');
  fault(playlist.ended && playlist.hintUri !== null, 'preload hint after the end');

  let behindSeconds = 0;
  for (const segment of [...playlist.segments].reverse()) {
    const name = `segment ${segment.sequence}`;
    const partsSeconds = segment.parts.reduce((sum, part) => sum + part.durationSeconds, 0);
    const partsNeeded = behindSeconds < 3 * targetDurationSeconds;
    behindSeconds += segment.uri === null ? partsSeconds : segment.durationSeconds;
    fault(segment.programDateTimeMs === null, `${name}: no PROGRAM-DATE-TIME`);
    fault(segment.mapUri === '', `${name}: no MAP`);
    fault(Math.round(segment.durationSeconds) > targetDurationSeconds, `${name}: too long`);
    fault(partsNeeded && segment.parts.length === 0, `${name}: parts are gone too early`);
    fault(
      segment.uri !== null &&
        segment.parts.length > 0 &&
        Math.abs(partsSeconds - segment.durationSeconds) > segment.parts.length * roundingSeconds,
      `${name}: parts do not add up`,
    );
    fault(
      playlist.independentSegments && segment.parts[0]?.independent === false,
      `${name}: not independent`,
    );
    segment.parts.forEach((part, index) => {
      const last = segment.uri !== null && index === segment.parts.length - 1;
      const open = segment.uri === null && index === segment.parts.length - 1;
      const length = `${name} part ${index}: ${part.durationSeconds} s`;
      fault(part.durationSeconds > target + roundingSeconds, `${length} is above the target`);
      fault(
        !last && !open && !part.independent && part.durationSeconds < partFillMin * target,
        `${length} is below 85 % of the target`,
      );
    });
  }
  return faults;
}

/** What a player that knew one version must not find in a later one (RFC 8216bis, 6.2.1 and 6.2.2). */
export function changeFaults(before: ReadPlaylist, after: ReadPlaylist): string[] {
  const faults: string[] = [];
  const fault = (condition: boolean, text: string) => {
    if (condition) faults.push(text);
  };
  const endOf = (playlist: ReadPlaylist) => playlist.segments.at(-1)?.sequence ?? 0;
  fault(after.mediaSequence < before.mediaSequence, 'MEDIA-SEQUENCE went back');
  fault(after.discontinuitySequence < before.discontinuitySequence, 'DISCONTINUITY went back');
  fault(after.mediaSequence > endOf(before), 'nothing of the version before is left');
  fault(endOf(after) < endOf(before), 'the end went back');
  const listedSeconds = after.segments.reduce((sum, each) => sum + each.durationSeconds, 0);
  fault(
    after.mediaSequence > before.mediaSequence && listedSeconds < 3 * after.targetDurationSeconds,
    `shortened to ${listedSeconds} s`,
  );
  for (const old of before.segments) {
    const now = after.segments.find((segment) => segment.sequence === old.sequence);
    if (!now) continue;
    const name = `segment ${old.sequence}`;
    fault(old.uri !== null && now.uri !== old.uri, `${name}: lies elsewhere`);
    fault(old.mapUri !== now.mapUri, `${name}: another MAP`);
    fault(old.discontinuity !== now.discontinuity, `${name}: another discontinuity`);
    fault(old.programDateTimeMs !== now.programDateTimeMs, `${name}: another time`);
    const gone = now.parts.length === 0 && now.uri !== null;
    const same = old.parts.every((part, index) => part.uri === now.parts[index]?.uri);
    fault(!gone && old.parts.length > 0 && !same, `${name}: other parts`);
  }
  const uris = (playlist: ReadPlaylist) =>
    playlist.segments.flatMap((segment) => segment.parts.map((part) => part.uri));
  const known = new Set(uris(before));
  const [next] = uris(after).filter((uri) => !known.has(uri));
  fault(next !== undefined && next !== before.hintUri, 'the next part was not the hinted one');
  return faults;
}
