// The export of one's own data: read in one go but for the statement, which is read in pages.
import { type DataExport, exportRowsMax, type WalletTransaction } from '#contract';
import { listWalletEntries, readExport } from '#db';
import type { Deps } from '../deps.ts';
import { problem } from '../problem.ts';

const statementPageRows = 500;

export async function exportOf(deps: Deps, userId: string): Promise<DataExport> {
  const exported = await readExport(deps.db, userId);
  if (!exported) throw problem('unauthenticated');
  const whole = { ...exported, statement: await readStatement(deps, userId) };
  const cutOff = Object.entries(whole)
    .filter(([, rows]) => Array.isArray(rows) && rows.length >= exportRowsMax)
    .map(([name]) => name);
  return { exportedAt: deps.now().toISOString(), cutOff, ...whole };
}

async function readStatement(deps: Deps, userId: string): Promise<WalletTransaction[]> {
  const rows: WalletTransaction[] = [];
  while (rows.length < exportRowsMax) {
    const before = rows.at(-1)?.id;
    const page = { before, limit: statementPageRows };
    const more = await listWalletEntries(deps.db, userId, page);
    rows.push(...more);
    if (more.length < statementPageRows) break;
  }
  return rows;
}
