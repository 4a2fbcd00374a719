// The packet report: ffmpeg's framecrc lines, which tell the time of every packet and whether it is a keyframe.
import type { MediaKind } from '#contract';

export interface ReportedPacket {
  kind: MediaKind;
  dtsMs: number;
  ptsMs: number;
  isKey: boolean;
}

const timeBaseLine = /^#tb (\d+): (\d+)\/(\d+)$/;
const kindLine = /^#media_type (\d+): (audio|video)$/;
/** `stream, dts, pts, duration, size, checksum`, and `F=0x0` where it is no keyframe. */
const packetLine = /^(\d+), *(-?\d+), *(-?\d+), *-?\d+, *\d+, *0x[0-9a-f]+(.*)$/;
const lineCharsMax = 1_000;

/** Takes the output as it comes; calls back for each packet. */
export function createPacketReport(onPacket: (packet: ReportedPacket) => void) {
  const unitsMs = new Map<string, number>();
  const kinds = new Map<string, MediaKind>();
  let rest = '';

  function read(line: string): void {
    const [, timed = '', numerator, denominator] = timeBaseLine.exec(line) ?? [];
    if (numerator) unitsMs.set(timed, (Number(numerator) * 1_000) / Number(denominator));
    const [, named = '', kind] = kindLine.exec(line) ?? [];
    if (kind) kinds.set(named, kind === 'audio' ? 'audio' : 'video');
    const [, stream = '', dts, pts, more = ''] = packetLine.exec(line) ?? [];
    const unitMs = unitsMs.get(stream);
    const itsKind = kinds.get(stream);
    if (unitMs === undefined || itsKind === undefined) return;
    onPacket({
      kind: itsKind,
      dtsMs: Number(dts) * unitMs,
      ptsMs: Number(pts) * unitMs,
      isKey: !more.includes('F=0x0'),
    });
  }

  return {
    hear(chunk: string): void {
      const lines = (rest + chunk).split('\n');
      rest = (lines.pop() ?? '').slice(0, lineCharsMax);
      for (const line of lines) read(line);
    },
  };
}
