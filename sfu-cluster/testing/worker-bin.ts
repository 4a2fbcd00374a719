// Where the media worker's binary lies when no variable names it: where the set-up script keeps it.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const program = 'mediasoup-worker';

/** The path of a media worker, or undefined to let the media library use its own. */
export function mediaWorkerBin(): string | undefined {
  const named = process.env.MEDIASOUP_WORKER_BIN;
  if (named) return named;
  const directory = join(homedir(), '.cache', 'livepanty', 'mediasoup-worker');
  if (!existsSync(directory)) return undefined;
  const found = readdirSync(directory)
    .map((version) => join(directory, version))
    .filter((folder) => existsSync(join(folder, program)));
  // Earlier set-ups have left theirs.
  const [newest] = found.sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  return newest && join(newest, program);
}
