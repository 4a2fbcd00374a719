// Bit writer: writes H.264 headers bit by bit, with Exp-Golomb numbers (ITU-T H.264, 9.1).

export interface BitWriter {
  bits(value: number, count: number): void;
  /** Unsigned Exp-Golomb. */
  ue(value: number): void;
  /** The bytes, with the stop bit and zeros up to a whole byte behind them. */
  finish(): Buffer;
}

export function createBitWriter(): BitWriter {
  let text = '';
  const bits = (value: number, count: number) => {
    text += value.toString(2).padStart(count, '0');
  };
  return {
    bits,
    ue(value) {
      const digits = (value + 1).toString(2).length;
      bits(value + 1, 2 * digits - 1);
    },
    finish() {
      bits(1, 1);
      const bytes = text.match(/.{1,8}/g) ?? [];
      return Buffer.from(bytes.map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)));
    },
  };
}

/** A NAL unit with emulation prevention bytes (00 00 0x → 00 00 03 0x). */
export function escapeNal(nal: Buffer): Buffer {
  const out: number[] = [];
  let zeros = 0;
  for (const byte of nal) {
    if (zeros >= 2 && byte <= 3) {
      out.push(3);
      zeros = 0;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out.push(byte);
  }
  return Buffer.from(out);
}
