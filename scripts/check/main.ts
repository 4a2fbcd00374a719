// `npm run check`: everything that can be said of the code without running it.
import { checkStages, runStage } from './stages.ts';

for (const stage of checkStages) {
  if (!(await runStage(stage))) process.exit(1);
}
