// `node scripts/run.mjs <file.ts> [arguments]`: sets up what is missing, then runs that one file.

import { runProduct } from './setup/product-process.mjs';

const [file, ...args] = process.argv.slice(2);
if (!file) {
  console.error('Which file? node scripts/run.mjs <file.ts> [arguments]');
  process.exit(2);
}
await runProduct(file, args, { forTests: false });
