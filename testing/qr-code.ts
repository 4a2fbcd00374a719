// A QR code as a camera sees it: the modules that are dark in its pixels.
import type { Locator } from 'playwright';

/** Reads a code of `size` by `size` modules that has an empty rim of `rim` modules around it. */
export async function readModules(
  code: Locator,
  { size, rim }: { size: number; rim: number },
): Promise<boolean[][]> {
  const picture = await code.screenshot({ animations: 'disabled' });
  return code.page().evaluate(
    async ({ png, size, rim }) => {
      const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
      if (!context) throw new Error('no canvas');
      context.drawImage(bitmap, 0, 0);
      const middleOf = (module: number) =>
        Math.floor(((module + rim + 0.5) * bitmap.width) / (size + 2 * rim));
      const isDark = (x: number, y: number) =>
        (context.getImageData(middleOf(x), middleOf(y), 1, 1).data[0] ?? 255) < 128;
      const places = Array.from({ length: size }, (_, place) => place);
      return places.map((y) => places.map((x) => isDark(x, y)));
    },
    { png: picture.toString('base64'), size, rim },
  );
}
