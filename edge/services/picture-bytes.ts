// The bytes of a picture that somebody sent: whatever they say of themselves, nothing is read beyond their end.
import { problem } from '../problem.ts';

export interface Size {
  width: number;
  height: number;
}

/** How large a picture is, and the parts of its file that draw it. */
export interface Drawing extends Size {
  pieces: Uint8Array[];
}

export interface PictureBytes {
  length: number;
  /** Numbers at a place. Each throws `picture-refused` beyond the end. */
  u8(at: number): number;
  u16(at: number): number;
  u32(at: number): number;
  u24little(at: number): number;
  u32little(at: number): number;
  /** Four letters. */
  name(at: number): string;
  slice(from: number, to: number): Uint8Array;
  has(at: number, values: readonly number[]): boolean;
  hasText(at: number, text: string): boolean;
}

export function broken(reason: string) {
  return problem('picture-refused', { reason });
}

export function pictureBytes(raw: Uint8Array): PictureBytes {
  const { length } = raw;
  const view = new DataView(raw.buffer, raw.byteOffset, length);

  function within<T>(at: number, size: number, read: () => T): T {
    if (at < 0 || at + size > length) throw broken('it ends too early');
    return read();
  }

  const has = (at: number, values: readonly number[]): boolean =>
    values.every((value, index) => raw[at + index] === value);

  return {
    length,
    u8: (at) => within(at, 1, () => view.getUint8(at)),
    u16: (at) => within(at, 2, () => view.getUint16(at)),
    u32: (at) => within(at, 4, () => view.getUint32(at)),
    u24little: (at) =>
      within(at, 3, () => view.getUint16(at, true) + view.getUint8(at + 2) * 0x1_00_00),
    u32little: (at) => within(at, 4, () => view.getUint32(at, true)),
    name: (at) => within(at, 4, () => String.fromCharCode(...raw.subarray(at, at + 4))),
    slice: (from, to) => within(from, to - from, () => raw.subarray(from, to)),
    has,
    hasText: (at, text) =>
      has(
        at,
        [...text].map((letter) => letter.charCodeAt(0)),
      ),
  };
}
