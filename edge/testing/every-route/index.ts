// Every route once, in acts that need nothing of each other: for the documents, and for every runtime.
import * as accounts from './accounts.ts';
import * as money from './money.ts';
import * as people from './people.ts';
import * as staff from './staff.ts';
import type { Stage } from './stage.ts';
import * as streams from './streams.ts';

export { createStage } from './stage.ts';

/** The acts by what they are about. */
export const acts: [string, (stage: Stage) => Promise<void>][] = [
  ...Object.entries(accounts),
  ...Object.entries(people),
  ...Object.entries(streams),
  ...Object.entries(money),
  ...Object.entries(staff),
];
