// Rooms as a request meets them: the facts of a stream for whoever asks, or the refusal.
import type { Context } from 'hono';
import { readWatchFacts, type WatchFacts } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { type Problem, problem } from '../problem.ts';
import { clientCountry } from './client-address.ts';
import { type Refused, type Viewer, watchRefusal } from './policy.ts';

/** Who asks, of a route that visitors may call. */
export const viewerOf = (c: Context<AppEnv>): Viewer => ({
  identity: c.get('visitor'),
  guest: c.get('guest'),
});

export const problemOf = ({ code, details }: Refused): Problem => problem(code, details);

/** Who looks around among streams. Strangers are all told the same, so that caches can share it. */
export function seekerOf(deps: Deps, c: Context<AppEnv>) {
  const { identity, guest } = viewerOf(c);
  if (!identity && !guest) return { viewer: null, countries: [], known: false };
  return { viewer: identity?.userId ?? null, countries: viewerCountries(deps, c), known: true };
}

/** Where whoever asks is known to be, besides what their account says. */
export function viewerCountries(deps: Deps, c: Context<AppEnv>): string[] {
  return [clientCountry(deps.config, c), viewerOf(c).guest?.country].filter(
    (country) => country !== undefined && country !== null,
  );
}

/** What is decided by, in one look. Refuses `not-found`. */
export async function openRoom(
  deps: Deps,
  c: Context<AppEnv>,
  streamId: string,
): Promise<WatchFacts> {
  const facts = await readWatchFacts(deps.db, {
    streamId,
    viewerId: viewerOf(c).identity?.userId ?? null,
    countries: viewerCountries(deps, c),
  });
  if (!facts) throw problem('not-found');
  return facts;
}

/** As `openRoom`, and refuses who may not watch. */
export async function openWatchedRoom(
  deps: Deps,
  c: Context<AppEnv>,
  streamId: string,
): Promise<WatchFacts> {
  const facts = await openRoom(deps, c, streamId);
  const refused = watchRefusal(facts, viewerOf(c));
  if (refused) throw problemOf(refused);
  return facts;
}
