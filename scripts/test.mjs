// `npm test`: sets up what is missing, the browser included, then runs every stage of the tests.

import { runProduct } from './setup/product-process.mjs';

await runProduct('scripts/launch/test.ts', process.argv.slice(2), { forTests: true });
