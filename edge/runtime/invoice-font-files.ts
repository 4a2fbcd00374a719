// The fonts of invoices, read from the package's files: for Node, Bun and Deno.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { InvoiceFonts } from '../services/invoice-typesetter.ts';

export async function loadInvoiceFonts(): Promise<InvoiceFonts> {
  const require = createRequire(import.meta.url);
  const read = async (name: string) =>
    new Uint8Array(
      await readFile(require.resolve(`@fontsource/noto-sans/files/noto-sans-${name}.woff`)),
    );
  const [regular, semibold] = await Promise.all([
    Promise.all(['latin-400-normal', 'latin-ext-400-normal', 'devanagari-400-normal'].map(read)),
    Promise.all(['latin-600-normal', 'devanagari-600-normal'].map(read)),
  ]);
  return { regular, semibold };
}
