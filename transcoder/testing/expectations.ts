// Expectations of tests about whole streams: what comes out must be whole, and in step.
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { ProblemDocument } from '#contract';
import { type Capture, withFile } from './bench.ts';
import { fragmentGaps, readFragments } from './fragment-reader.ts';
import { decodeErrors, decodeRaw, probePackets } from './media.ts';

/** Decodes without complaint, and its timestamps grow without holes or overlaps. */
export async function expectWhole(captured: Capture, discontinuity?: number): Promise<void> {
  await withFile(
    captured,
    async (file) => {
      expect(await decodeErrors(file)).toBe('');
      const { stderr, packets } = await probePackets(file);
      expect(stderr).toBe('');
      expect(packets.length).toBeGreaterThan(20);
      const times = packets.map((packet) => packet.ptsSeconds);
      expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))).toBe(
        true,
      );
      const gaps = fragmentGaps(readFragments(await readFile(file)));
      expect(new Set(gaps)).toEqual(new Set([0]));
    },
    discontinuity,
  );
}

/** Status and code of a refusal, which must be a problem document. */
export async function problemOf(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const document = ProblemDocument.parse(await response.json());
  expect(document.status).toBe(response.status);
  return `${response.status} ${document.code}`;
}

/** The runs of media between discontinuities, by their numbers. */
export function runsOf(captured: Capture): number[] {
  return [...new Set([...captured.segments.values()].map((segment) => segment.discontinuity))];
}

/** Times at which the picture turns from black to white, in seconds. */
export async function flashTimes(file: string): Promise<number[]> {
  const [{ packets }, raw] = await Promise.all([probePackets(file), decodeRaw(file, 'video')]);
  const white = (index: number) => (raw[index * 4] ?? 0) > 128;
  return packets.flatMap((packet, index) =>
    index > 0 && white(index) && !white(index - 1) ? [packet.ptsSeconds] : [],
  );
}

/** Times at which the tone begins, in seconds. */
export async function beepTimes(file: string): Promise<number[]> {
  const [{ packets }, raw] = await Promise.all([probePackets(file), decodeRaw(file, 'audio')]);
  const startSeconds = packets[0]?.ptsSeconds ?? 0;
  const windowSamples = 240;
  const loud = (window: number) => {
    let peak = 0;
    for (let index = 0; index < windowSamples; index++) {
      peak = Math.max(peak, Math.abs(raw.readInt16LE((window * windowSamples + index) * 2)));
    }
    return peak > 4_000;
  };
  const windows = Math.floor(raw.length / 2 / windowSamples);
  const out: number[] = [];
  for (let window = 1; window < windows; window++) {
    if (loud(window) && !loud(window - 1)) {
      out.push(startSeconds + (window * windowSamples) / 48_000);
    }
  }
  return out;
}
