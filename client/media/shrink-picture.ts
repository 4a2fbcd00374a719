// Shrinks a picture to a small square, drawn anew: nothing that a camera wrote beside it goes along.
import { avatarBytesMax } from '#contract';
import { ApiError } from '../models/api-error.ts';

const sidePx = 512;
/** Tried one after the other until it is small enough; a browser that writes no WebP writes the next. */
const forms = [
  { type: 'image/webp', quality: 0.9 },
  { type: 'image/webp', quality: 0.7 },
  { type: 'image/jpeg', quality: 0.85 },
  { type: 'image/jpeg', quality: 0.6 },
] as const;

const unreadable = () =>
  new ApiError('picture-refused', 422, null, 'This browser cannot draw that picture');

/** Throws an `ApiError` for what is no picture. */
export async function shrinkPicture(file: Blob): Promise<Blob> {
  const drawing = await createImageBitmap(file).catch(() => {
    throw unreadable();
  });
  try {
    const canvas = document.createElement('canvas');
    canvas.width = sidePx;
    canvas.height = sidePx;
    const side = Math.min(drawing.width, drawing.height);
    const [left, top] = [(drawing.width - side) / 2, (drawing.height - side) / 2];
    canvas.getContext('2d')?.drawImage(drawing, left, top, side, side, 0, 0, sidePx, sidePx);
    for (const { type, quality } of forms) {
      const picture = await new Promise<Blob | null>((resolve) =>
        canvas.toBlob(resolve, type, quality),
      );
      if (picture?.type === type && picture.size <= avatarBytesMax) return picture;
    }
  } finally {
    drawing.close();
  }
  throw unreadable();
}
