// The Argon2 WebAssembly modules, read from the package's files: for Node, Bun and Deno.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Argon2Modules } from '../services/passwords.ts';

export async function loadArgon2Modules(): Promise<Argon2Modules> {
  const require = createRequire(import.meta.url);
  const compile = async (name: string) =>
    WebAssembly.compile(await readFile(require.resolve(`argon2id/dist/${name}.wasm`)));
  const [simd, noSimd] = await Promise.all([compile('simd'), compile('no-simd')]);
  return { simd, noSimd };
}
