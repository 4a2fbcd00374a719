// The Worker as it would be deployed: bundled by wrangler, weighed, and searched for what Cloudflare refuses.
import { gzipSync } from 'node:zlib';
import { bundleWorker } from '../launch/worker-bundle.ts';
import { workerFaults } from './worker-faults.ts';

const kib = 1024;
/** Cloudflare takes 3 MiB, compressed, on its smallest plan: this leaves room to grow. */
const compressedBytesMax = 2.5 * kib * kib;

const { modules } = await bundleWorker();
const sizes = modules.map(({ path, contents }) => ({
  path,
  bytes: contents.length,
  compressedBytes: gzipSync(contents).length,
}));
const compressedBytes = sizes.reduce((sum, size) => sum + size.compressedBytes, 0);
const show = (bytes: number) => `${(bytes / kib).toFixed(0).padStart(6)} KiB`;
for (const { path, bytes, compressedBytes: compressed } of sizes) {
  console.log(`${show(bytes)} ${show(compressed)} compressed  ${path}`);
}
console.log(`${show(compressedBytes)} compressed, of at most ${show(compressedBytesMax).trim()}`);

const faults = modules.flatMap(({ path, contents }) =>
  typeof contents === 'string' ? workerFaults(contents).map((fault) => `${path}: ${fault}`) : [],
);
if (compressedBytes > compressedBytesMax) faults.push('the Worker is too large');
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
