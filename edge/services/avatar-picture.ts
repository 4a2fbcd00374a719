// Pictures of people: what kind one is by its first bytes, how large, and only what is needed to draw it.
import { avatarBytesMax, avatarSidePx } from '#contract';
import { problem } from '../problem.ts';
import { type Drawing, type PictureBytes, pictureBytes } from './picture-bytes.ts';
import { cleanJpeg } from './picture-jpeg.ts';
import { cleanPng } from './picture-png.ts';
import { cleanWebp } from './picture-webp.ts';

interface Kind {
  type: string;
  begins(bytes: PictureBytes): boolean;
  clean(bytes: PictureBytes): Drawing;
}

const kinds: readonly Kind[] = [
  { type: 'image/jpeg', begins: (bytes) => bytes.has(0, [0xff, 0xd8, 0xff]), clean: cleanJpeg },
  { type: 'image/png', begins: (bytes) => bytes.hasText(0, '\x89PNG\r\n\x1a\n'), clean: cleanPng },
  {
    type: 'image/webp',
    begins: (bytes) => bytes.hasText(0, 'RIFF') && bytes.hasText(8, 'WEBP'),
    clean: cleanWebp,
  },
];

/**
 * A picture without what it says beside it: where and when it was taken, with what, and by whom. Throws
 * `picture-refused` for everything else than a whole still JPEG, PNG or WebP of a fitting size.
 */
export function cleanPicture(raw: Uint8Array): { type: string; bytes: Uint8Array<ArrayBuffer> } {
  const bytes = pictureBytes(raw);
  const kind = kinds.find(({ begins }) => begins(bytes));
  if (!kind) throw problem('picture-refused', { reason: 'neither JPEG, PNG nor WebP' });
  const { width, height, pieces } = kind.clean(bytes);
  const { min, max } = avatarSidePx;
  if (Math.min(width, height) < min || Math.max(width, height) > max) {
    throw problem('picture-refused', { reason: `sides of ${min} to ${max} pixels`, width, height });
  }
  const cleaned = joined(pieces);
  if (cleaned.length > avatarBytesMax) {
    throw problem('picture-refused', { reason: `at most ${avatarBytesMax} bytes` });
  }
  return { type: kind.type, bytes: cleaned };
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
