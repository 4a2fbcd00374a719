// `npm run reset`: forgets all local data, secrets and demo accounts; programs and builds stay.
import { join, resolve } from 'node:path';
import { takeLock } from './lock.ts';
import { forgetData } from './stack.ts';
import { workDir } from './work-dir.ts';

const dataDir = resolve(process.argv[2] ?? workDir);
const lock = await takeLock(join(dataDir, 'stack.lock'));
if ('heldBy' in lock) {
  process.stderr.write(
    `LivePanty is running with the data of ${dataDir} (process ${lock.heldBy}): end it first.\n`,
  );
  process.exitCode = 1;
} else {
  await forgetData(dataDir);
  await lock.release();
  process.stdout.write(`All data of ${dataDir} is forgotten.\n`);
}
