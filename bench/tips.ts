// Tips: how many a second, on the hardest case: everybody tips one famous performer. In SQL beside the plain way
// on the same PostgreSQL, in turn; and over HTTP through the whole product.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateDatabase } from '#db/migrate';
import { freePort } from '../scripts/launch/free-port.ts';
import { startPostgres } from '../scripts/launch/postgres.ts';
import type { Bench } from './main.ts';
import { bars, histogram } from './plot.ts';
import { measureSql } from './tips/in-sql.ts';
import { measureHttp } from './tips/over-http.ts';

const say = (text: string) => console.error(text);

export const tips: Bench = {
  name: 'tips',
  summary:
    'tips per second to one performer and to fifty, in SQL beside the plain way, and over HTTP',
  async run() {
    const sql = await inSql();
    const { samplesMs, ...http } = await measureHttp(say);
    say(bars('tips per second in SQL (medians)', sql.perSecond));
    say(histogram('over HTTP at 300 tips/s to one performer', samplesMs));
    const rounded = (figures: Record<string, number>) =>
      Object.fromEntries(
        Object.entries(figures).map(([name, value]) => [name, Number(value.toFixed(2))]),
      );
    return {
      ratios: rounded(sql.ratios),
      figures: {
        httpP99MsAt300: Number(http.p99MsAt300.toFixed(1)),
        httpP50MsAt300: Number(http.p50MsAt300.toFixed(1)),
        roundTripsPerTip: http.roundTripsPerTip,
        roundTripsPerTipUnderLoad: http.roundTripsPerTipUnderLoad,
        httpHotPerSecond: Math.round(http.hotPerSecond),
        httpSpreadPerSecond: Math.round(http.spreadPerSecond),
        httpHotToSpread: Number(http.hotToSpread.toFixed(2)),
        sqlPerSecond: rounded(sql.perSecond),
        sealedPerSecond: Math.round(sql.sealedPerSecond),
      },
    };
  },
};

async function inSql() {
  const directory = await mkdtemp(join(tmpdir(), 'livepanty-bench-'));
  const postgres = await startPostgres({
    dataDir: join(directory, 'postgres'),
    port: await freePort(),
    password: 'bench',
  });
  try {
    await migrateDatabase({ url: postgres.url });
    return await measureSql(postgres.url, say);
  } finally {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
