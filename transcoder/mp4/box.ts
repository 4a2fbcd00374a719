// Boxes: the building block of ISO base media files (ISO/IEC 14496-12, 4.2).

/** A box with its size and four-letter type before its content. */
export function box(type: string, ...content: Buffer[]): Buffer {
  const bytes = content.reduce((sum, piece) => sum + piece.length, 8);
  const head = Buffer.allocUnsafe(8);
  head.writeUInt32BE(bytes, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...content], bytes);
}

/** A box that begins with a version and flags. */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  ...content: Buffer[]
): Buffer {
  return box(type, u32(version * 0x1000000 + flags), ...content);
}

/** 32-bit numbers, one after the other, big end first. */
export function u32(...values: number[]): Buffer {
  const out = Buffer.allocUnsafe(values.length * 4);
  values.forEach((value, index) => {
    out.writeUInt32BE(value, index * 4);
  });
  return out;
}

export function u16(...values: number[]): Buffer {
  const out = Buffer.allocUnsafe(values.length * 2);
  values.forEach((value, index) => {
    out.writeUInt16BE(value, index * 2);
  });
  return out;
}

export function u8(...values: number[]): Buffer {
  return Buffer.from(values);
}

export function zeros(count: number): Buffer {
  return Buffer.alloc(count);
}

export function ascii(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
