// `node send-burst-run.ts <burst as JSON>`: one burst in a process of its own, which may run in another network.
import { z } from 'zod';
import { sendBurst } from './send-burst.ts';

const Burst = z.object({ receivers: z.int(), packets: z.int(), sendBufferBytes: z.int() });

console.log(JSON.stringify(await sendBurst(Burst.parse(JSON.parse(process.argv[2] ?? '')))));
