// Stages: runs named commands one after another, streaming what they print.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Stage {
  name: string;
  command: string;
  args: readonly string[];
  env?: Record<string, string>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** True when the command ended with 0. */
export async function runStage(stage: Stage): Promise<boolean> {
  const startedAt = Date.now();
  console.log(`\n── ${stage.name}`);
  const child = spawn(stage.command, stage.args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...stage.env },
  });
  const passed = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  console.log(`── ${stage.name}: ${passed ? 'passed' : 'FAILED'} in ${seconds} s`);
  return passed;
}

/** A stage that runs a package's command with this very Node. */
export function packageStage(name: string, script: string, args: readonly string[]): Stage {
  return {
    name,
    command: process.execPath,
    args: [fileURLToPath(new URL(`../../node_modules/${script}`, import.meta.url)), ...args],
  };
}

/** `npm run check`: format and lint, types, room arrows, lock file, dead code. */
export const checkStages: readonly Stage[] = [
  packageStage('format and lint', '@biomejs/biome/bin/biome', ['ci', '--error-on-warnings', '.']),
  packageStage('types', 'typescript/bin/tsc', ['-p', '.']),
  { name: 'room arrows', command: process.execPath, args: ['scripts/check/rooms.ts'] },
  { name: 'lock file', command: process.execPath, args: ['scripts/check/lock.ts'] },
  packageStage('dead code', 'knip/bin/knip.js', []),
];
