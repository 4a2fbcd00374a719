// Stages: runs named commands one after another, streaming what they print.
import { spawn } from 'node:child_process';
import { fromRoot, watchingParent } from '../launch/child.ts';

export interface Stage {
  name: string;
  /** For this very Node. */
  args: readonly string[];
}

/** True when the command ended with 0. It ends with us. */
export async function runStage(stage: Stage): Promise<boolean> {
  const startedAt = Date.now();
  console.log(`\n── ${stage.name}`);
  const child = spawn(process.execPath, [...watchingParent, ...stage.args], {
    cwd: fromRoot('.'),
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, LIVEPANTY_PARENT_PIPE: '3' },
  });
  child.stdio[3]?.on('error', () => {
    // The stage ended first.
  });
  const passed = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  console.log(`── ${stage.name}: ${passed ? 'passed' : 'FAILED'} in ${seconds} s`);
  return passed;
}

/** A stage that runs a package's command. */
export function packageStage(name: string, script: string, args: readonly string[]): Stage {
  return { name, args: [fromRoot(`node_modules/${script}`), ...args] };
}

/** `npm run check`: format and lint, types, room arrows, lock file, dead code, what is deployed to Workers. */
export const checkStages: readonly Stage[] = [
  packageStage('format and lint', '@biomejs/biome/bin/biome', ['ci', '--error-on-warnings', '.']),
  packageStage('types', 'typescript/bin/tsc', ['-p', '.']),
  { name: 'room arrows', args: ['scripts/check/rooms.ts'] },
  { name: 'lock file', args: ['scripts/check/lock.ts'] },
  packageStage('dead code', 'knip/bin/knip.js', []),
  { name: 'the Worker', args: ['scripts/check/worker.ts'] },
];
