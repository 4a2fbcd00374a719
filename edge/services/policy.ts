// The policy of rooms: who may watch, who may publish, and what a ticket lets its holder do. Pure: facts in, verdict out.
import { type Capability, type Guest, isPermitted, type ProblemCode } from '#contract';
import type { WatchFacts } from '#db';
import type { Identity } from '../deps.ts';

/** Who wants something of a room: somebody who is logged in, a guest, or a stranger, who is neither. */
export interface Viewer {
  identity: Identity | null;
  guest: Pick<Guest, 'id' | 'country'> | null;
}

export interface Refused {
  code: ProblemCode;
  details?: Record<string, unknown>;
}

export const isPerformer = ({ stream }: WatchFacts, { identity }: Viewer) =>
  identity?.userId === stream.performer.id;
/** Staff look into every room, once they have shown a second factor. */
const isStaff = ({ identity }: Viewer) =>
  identity !== null &&
  identity.secondFactorAt !== null &&
  isPermitted(identity.role, 'end-streams');

/** Why somebody may not know of a stream at all; null when they may. */
export function readRefusal(facts: WatchFacts, viewer: Viewer): Refused | null {
  if (isPerformer(facts, viewer) || isStaff(viewer)) return null;
  if (facts.hidden) return { code: 'country-blocked' };
  return facts.shunned ? { code: 'blocked' } : null;
}

/** Why somebody may not watch a stream, and not read what is said in it; null when they may. */
export function watchRefusal(facts: WatchFacts, viewer: Viewer): Refused | null {
  if (isPerformer(facts, viewer) || isStaff(viewer)) return null;
  const unread = readRefusal(facts, viewer);
  if (unread) return unread;
  if (!viewer.identity && !viewer.guest) return { code: 'age-gate-needed' };
  if (facts.moderates || facts.stage) return null;
  const { visibility, entryTokens } = facts.stream;
  if (visibility === 'followers' && !facts.follows) return { code: 'followers-only' };
  if (visibility === 'ticketed' && !facts.entered) {
    return { code: 'entry-needed', details: { entryTokens } };
  }
  return null;
}

/** What a ticket to watch lets its holder do. */
export function watchCapabilities(facts: WatchFacts, viewer: Viewer): Capability[] {
  if (isPerformer(facts, viewer)) return ['subscribe', 'moderate', 'monitor'];
  const keepsOrder = facts.moderates || isStaff(viewer);
  return keepsOrder ? ['subscribe', 'moderate'] : ['subscribe'];
}

/** Why somebody may not publish in a stream; null when they may. */
export function publishRefusal(facts: WatchFacts, viewer: Viewer): Refused | null {
  if (!viewer.identity) return { code: 'unauthenticated' };
  if (isPerformer(facts, viewer)) return null;
  if (facts.stage !== 'joined') return { code: 'forbidden' };
  return facts.shunned ? { code: 'blocked' } : null;
}

/** What a ticket to publish lets its holder do: the performer is the host, and whom they have invited a guest. */
export function publishCapabilities(facts: WatchFacts, viewer: Viewer): Capability[] {
  return isPerformer(facts, viewer) ? ['publish', 'subscribe', 'moderate'] : ['stage', 'subscribe'];
}
