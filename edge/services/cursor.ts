// Cursors: the id of the last row on the page before.
import { Id } from '#contract';
import { problem } from '../problem.ts';

/** Refuses `invalid-request` for what is no cursor of ours. */
export function parseCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = Id.safeParse(cursor);
  if (!id.success) {
    throw problem('invalid-request', { errors: [{ path: 'cursor', message: 'not a cursor' }] });
  }
  return id.data;
}
