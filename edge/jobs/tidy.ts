// Tidying: removes what nobody needs any more.
import { removeOldSessions } from '#db';
import type { Deps } from '../deps.ts';

const sessionsKeptSeconds = 30 * 24 * 3600;

/** One round. Answers how many rows it removed. */
export async function tidy(deps: Pick<Deps, 'db'>): Promise<{ sessions: number }> {
  return { sessions: await removeOldSessions(deps.db, sessionsKeptSeconds) };
}
