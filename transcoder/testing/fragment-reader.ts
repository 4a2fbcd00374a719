// Fragment reader for tests: what a fragmented MP4 file says about the times of its samples.

export interface ReadFragment {
  sequence: number;
  startTicks: number;
  durationsTicks: number[];
  /** Whether decoding can begin at the first sample. */
  startsWithSync: boolean;
}

function* boxes(bytes: Buffer): Generator<{ type: string; body: Buffer }> {
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32BE(at);
    if (size < 8 || at + size > bytes.length) throw new Error('broken box');
    yield {
      type: bytes.toString('latin1', at + 4, at + 8),
      body: bytes.subarray(at + 8, at + size),
    };
    at += size;
  }
}

function child(bytes: Buffer, type: string): Buffer {
  for (const box of boxes(bytes)) if (box.type === type) return box.body;
  throw new Error(`no ${type}`);
}

/** All fragments of a file, in order. */
export function readFragments(bytes: Buffer): ReadFragment[] {
  const out: ReadFragment[] = [];
  for (const box of boxes(bytes)) {
    if (box.type !== 'moof') continue;
    const traf = child(box.body, 'traf');
    const run = child(traf, 'trun');
    const count = run.readUInt32BE(4);
    out.push({
      sequence: child(box.body, 'mfhd').readUInt32BE(4),
      startTicks: Number(child(traf, 'tfdt').readBigUInt64BE(4)),
      durationsTicks: Array.from({ length: count }, (_, index) =>
        run.readUInt32BE(12 + index * 12),
      ),
      startsWithSync: run.readUInt32BE(20) === 0x02000000,
    });
  }
  return out;
}

/** Ticks between the end of each fragment and the start of the next; all zero in an unbroken track. */
export function fragmentGaps(fragments: readonly ReadFragment[]): number[] {
  return fragments.slice(1).map((fragment, index) => {
    const before = fragments[index];
    if (!before) return Number.NaN;
    const end = before.durationsTicks.reduce((sum, ticks) => sum + ticks, before.startTicks);
    return fragment.startTicks - end;
  });
}
