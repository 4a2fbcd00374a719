// A thread in which a publisher's packets are made: who watches in this process must not hold them up.
import { workerData } from 'node:worker_threads';
import { z } from 'zod';
import { openPlainSource } from '../../../testing/receivers/plain-source.ts';

const { port, bitrateBps } = z.object({ port: z.int(), bitrateBps: z.int() }).parse(workerData);
const source = await openPlainSource({ audioPort: port, videoPort: port });
source.start(bitrateBps);
