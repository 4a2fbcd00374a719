// `npm start`: sets up what is missing, then launches the whole product on this machine.

import { runProduct } from './setup/product-process.mjs';

await runProduct('scripts/launch/main.ts', process.argv.slice(2), { forTests: false });
