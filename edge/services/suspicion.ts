// Suspicion: what smells of fraud goes into the audit trail, whatever else is refused.
import type { Context } from 'hono';
import { isLoopback, lineOf } from '#contract';
import { writeAudit } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { clientAddress } from './client-address.ts';
import { countUse } from './rate-limit.ts';

/** Of one kind and one origin; beyond it they are only counted, or whoever knocks would fill the trail. */
const writtenMax = 20;
const windowSeconds = 60;

/** Writes it down. Never throws: the refusal that follows must reach whoever asked. */
export async function noteSuspicion(
  deps: Deps,
  c: Context<AppEnv>,
  action: string,
  details: Record<string, unknown>,
): Promise<void> {
  try {
    const actorId = c.var.identity?.userId ?? null;
    const origin = actorId ?? lineOf(clientAddress(deps.config, c));
    const window = Math.floor(deps.now().getTime() / 1000 / windowSeconds);
    const count = await countUse(deps, `suspicion:${action}:${origin}:${window}`, windowSeconds);
    if (count > writtenMax) {
      deps.counters.add(`suspicion.${action}`);
      return;
    }
    await writeAudit(deps.db, {
      action: `suspicion.${action}`,
      actorId,
      details: { ...details, requestId: c.var.requestId },
      addressHash: await addressHash(deps, c),
    });
  } catch (error) {
    c.var.log.error('a suspicion was not written down', { action, error: String(error) });
  }
}

/**
 * The line a request comes from, as a keyed hash: equal ones can be seen, none can be read. Null where that says
 * nothing: strangers whose address is not known, or who all seem to be this machine, have nothing in common.
 */
export async function addressHash(deps: Deps, c: Context<AppEnv>): Promise<string | null> {
  const address = clientAddress(deps.config, c);
  if (address === '' || isLoopback(address)) return null;
  return deps.vault.keyedHash(lineOf(address), 'address');
}
