// Control: what must not be believed any more, told to everybody who might still believe it.
import { z } from 'zod';
import { Id } from './ids.ts';
import { MediaHold } from './stage.ts';

/** Pub/sub channel that carries control messages as JSON. */
export const controlChannel = 'control';
/**
 * For how long a revocation is remembered. Longer than any token or ticket that was signed before it can live; what a
 * ticket has opened is closed when the revocation comes.
 */
export const revocationMemorySeconds = 15 * 60;
/** How many are remembered, and told at once. */
export const revocationsMax = 100_000;
export const revocationsPageMax = 1_000;

/**
 * Ends what was signed by somebody who knew no revocation of this number: tokens and tickets carry the number of the
 * last one that was known before their facts were read, as `rev`. Numbers have no gaps and grow with the commits.
 */
export const Revocation = z.object({
  number: z.int().positive(),
  kind: z.enum(['session', 'user', 'viewer', 'stream', 'hold']),
  /** The session, the person, or who watches or publishes `streamId`; null for all viewers of it. */
  subject: z.string().max(64).nullable(),
  streamId: Id.nullable(),
  /** Of a `hold`, which ends nothing: what is kept from everybody, from now on, of that which `subject` publishes. */
  held: MediaHold.optional(),
});
export type Revocation = z.infer<typeof Revocation>;

export const ControlMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('revoked'), revocation: Revocation }),
  /** Who is or may be on the stage of a stream has changed, and these should know at once. */
  z.object({ type: z.literal('stage'), streamId: Id, subjects: z.array(z.string().max(64)) }),
]);
export type ControlMessage = z.infer<typeof ControlMessage>;

/** What a token or ticket says of itself that a revocation may end. */
export interface Revocable {
  rev: number;
  subject: string;
  /** The session that it was asked for with; null for a guest. */
  sessionId: string | null;
  /** The stream that it is for; null for none. */
  streamId: string | null;
}

/** The names under which a revocation is looked up, one for each kind; null for what does not apply. */
function keysOf({ subject, sessionId, streamId }: Omit<Revocable, 'rev'>): (string | null)[] {
  return [
    sessionId && `session:${sessionId}`,
    `user:${subject}`,
    streamId && `viewer:${streamId}:${subject}`,
    streamId && `stream:${streamId}`,
  ];
}

function keyOf({ kind, subject, streamId }: Omit<Revocation, 'number'>): string {
  return [kind, streamId, subject].filter((part) => part !== null).join(':');
}

/** The revocations of the last while, by what they end. */
export function createRevocationList(nowMs: () => number) {
  const newest = new Map<string, { revocation: Revocation; atMs: number }>();
  let last = 0;
  return {
    /** The number up to which none is missing. */
    get last(): number {
      return last;
    },
    /** Begins behind this number: what is older has no token or ticket left that lives. */
    beginAt(number: number): void {
      last = Math.max(last, number);
    },
    /** Takes them in; answers false when some before them are missing, which must be fetched. */
    add(revocation: Revocation): boolean {
      const key = keyOf(revocation);
      const known = newest.get(key);
      if (!known || known.revocation.number < revocation.number) {
        newest.delete(key);
        newest.set(key, { revocation, atMs: nowMs() });
      }
      for (const [oldest, { atMs }] of newest) {
        const isStale = nowMs() - atMs > revocationMemorySeconds * 1000;
        if (!isStale && newest.size <= revocationsMax) break;
        newest.delete(oldest);
      }
      if (revocation.number > last + 1) return false;
      last = Math.max(last, revocation.number);
      return true;
    },
    /** Whether one of them ends this. */
    ends(what: Revocable): boolean {
      return keysOf(what).some((key) => {
        const known = key === null ? undefined : newest.get(key);
        return known !== undefined && known.revocation.number > what.rev;
      });
    },
    /** The newest word on what is held of that which this one publishes; null for none since it was signed. */
    holdOn(what: Revocable): Revocation | null {
      const { subject, streamId } = what;
      const known = newest.get(keyOf({ kind: 'hold', subject, streamId }))?.revocation;
      return known && isHoldOn(what, known) ? known : null;
    },
  };
}
export type RevocationList = ReturnType<typeof createRevocationList>;

/** Whether this one changes what is held of that which the holder publishes. */
export function isHoldOn(
  what: Revocable,
  { kind, number, subject, streamId }: Revocation,
): boolean {
  const isTheirs = subject === what.subject && streamId === what.streamId;
  return kind === 'hold' && isTheirs && number > what.rev;
}

/** Whether this one ends that. */
export function isEndedBy(what: Revocable, revocation: Revocation): boolean {
  return revocation.number > what.rev && keysOf(what).includes(keyOf(revocation));
}
