// `npm run bench`: lists the benches; `npm run bench -- <name>` runs one, its JSON result on the last line.
import { api } from './api.ts';
import { latency } from './latency.ts';
import { sfu } from './sfu.ts';
import { tips } from './tips.ts';

export interface Bench {
  name: string;
  summary: string;
  /** Resolves with the object that is printed as JSON. Progress goes to stderr. */
  run: (args: readonly string[]) => Promise<Record<string, unknown>>;
}

const benches: readonly Bench[] = [api, latency, sfu, tips];

const [name, ...args] = process.argv.slice(2);
const chosen = benches.find((bench) => bench.name === name);
if (chosen) {
  const result = await chosen.run(args);
  console.log(JSON.stringify({ bench: chosen.name, ...result }));
} else {
  if (name) console.error(`There is no bench "${name}".\n`);
  for (const bench of benches) {
    console.log(`npm run bench -- ${bench.name.padEnd(12)} ${bench.summary}`);
  }
  process.exitCode = name ? 2 : 0;
}
