// One round of one job by its name, as a process of its own, for tests that kill it.
import { jobs } from '../jobs/index.ts';
import { unleased } from '../jobs/lease.ts';
import { createServerParts } from '../runtime/server.ts';

const parts = await createServerParts(process.env, 'job');
const job = jobs.find(({ name }) => name === process.argv[2]);
if (!job) throw new Error(`there is no job "${process.argv[2]}"`);
console.log(JSON.stringify(await job.run(parts.deps, unleased)));
await parts.close();
