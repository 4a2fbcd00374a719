// Bit reader: reads H.264 headers bit by bit, with Exp-Golomb numbers (ITU-T H.264, 9.1).

export interface BitReader {
  /** The next `count` bits as a number; `count` at most 32. */
  bits(count: number): number;
  flag(): boolean;
  /** Unsigned Exp-Golomb. */
  ue(): number;
  /** Signed Exp-Golomb. */
  se(): number;
}

const golombZerosMax = 32;

/** Throws `RangeError` at the end of the bytes. */
export function createBitReader(bytes: Uint8Array): BitReader {
  let at = 0;

  function bit(): number {
    const byte = bytes[at >> 3];
    if (byte === undefined) throw new RangeError('end of bits');
    const value = (byte >> (7 - (at & 7))) & 1;
    at++;
    return value;
  }

  function bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++) value = value * 2 + bit();
    return value;
  }

  function ue(): number {
    let zeros = 0;
    while (bit() === 0) {
      zeros++;
      if (zeros > golombZerosMax) throw new RangeError('Exp-Golomb number too long');
    }
    return 2 ** zeros - 1 + bits(zeros);
  }

  return {
    bits,
    flag: () => bit() === 1,
    ue,
    se() {
      const value = ue();
      return value % 2 === 1 ? (value + 1) / 2 : -(value / 2);
    },
  };
}

/** A NAL unit without its emulation prevention bytes (00 00 03 → 00 00). */
export function unescapeNal(nal: Buffer): Buffer {
  const out = Buffer.alloc(nal.length);
  let length = 0;
  let zeros = 0;
  for (const byte of nal) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}
