// Makes the filter of common passwords anew: `node scripts/make/common-passwords.ts <list.txt.gz>`, the most used first.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { passwordCharsMin } from '#contract';
import { filterBits, foldPassword, placesOf } from '../../edge/services/common-passwords.ts';

const passwordsCount = 25_000;
const target = new URL('../../edge/services/common-password-bits.ts', import.meta.url);

const [listPath] = process.argv.slice(2);
if (!listPath) throw new Error('name the list of passwords');
const lines = gunzipSync(await readFile(listPath))
  .toString('utf8')
  .split(/\r?\n/);
const long = new Set(lines.map(foldPassword).filter((text) => text.length >= passwordCharsMin));
const chosen = [...long].slice(0, passwordsCount);

const bits = new Uint8Array(filterBits / 8);
for (const folded of chosen) {
  for (const place of await placesOf(folded))
    bits[place >> 3] = (bits[place >> 3] ?? 0) | (1 << (place & 7));
}
await writeFile(
  target,
  `// The filter of common passwords, made by scripts/make/common-passwords.ts.
export const commonPasswordBits =
  '${Buffer.from(bits).toString('base64')}';
`,
);
console.log(`${chosen.length} passwords in ${bits.length} bytes of ${fileURLToPath(target)}`);
