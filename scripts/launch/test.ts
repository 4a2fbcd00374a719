// `npm test`: the checks, then every test beside the code, then the product end to end in real browsers.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { checkStages, packageStage, runStage } from '../check/stages.ts';

/** What is read of vitest's JSON report. */
const Report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numFailedTestSuites: z.int(),
  success: z.boolean(),
});

const counts = { passed: 0, failed: 0 };
const folder = await mkdtemp(join(tmpdir(), 'livepanty-reports-'));

for (const stage of checkStages) {
  if (await runStage(stage)) counts.passed += 1;
  else counts.failed += 1;
}
for (const [name, config] of [
  ['tests beside the code', 'vitest.config.ts'],
  ['end to end', 'e2e/vitest.config.ts'],
] as const) {
  if (counts.failed === 0) await runTests(name, config);
}
await rm(folder, { recursive: true, force: true });
console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed > 0 ? 1 : 0;

async function runTests(name: string, config: string): Promise<void> {
  const file = join(folder, `${name.replaceAll(' ', '-')}.json`);
  const passed = await runStage(
    packageStage(name, 'vitest/vitest.mjs', [
      'run',
      '--config',
      config,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
    ]),
  );
  const text = await readFile(file, 'utf8').catch(() => null);
  const report = text ? Report.parse(JSON.parse(text)) : null;
  counts.passed += report?.numPassedTests ?? 0;
  counts.failed += report?.numFailedTests ?? 0;
  // A file that could not even be loaded, or a runner that broke, has no failed test to count.
  if (!passed && !report?.numFailedTests)
    counts.failed += Math.max(1, report?.numFailedTestSuites ?? 1);
}
