// Cursors of the live list: the rank and the id of the last stream on the page before, and by what it was ranked.
import { z } from 'zod';
import { Id, LiveSort } from '#contract';
import { problem } from '../problem.ts';

/** `sort.rank.id` */
const LiveCursor = z
  .string()
  .transform((text) => text.split('.'))
  .pipe(z.tuple([LiveSort, z.string().regex(/^\d{1,16}$/), Id]));

/** Refuses `invalid-request` for what is no cursor of ours, and for one of a list that was sorted otherwise. */
export function parseLiveCursor(
  text: string | undefined,
  sort: LiveSort,
): { rank: number; id: string } | null {
  if (text === undefined) return null;
  const cursor = LiveCursor.safeParse(text);
  if (!cursor.success) throw refused('not a cursor');
  const [cursorSort, rank, id] = cursor.data;
  if (cursorSort !== sort) throw refused(`a cursor of the list by ${cursorSort}`);
  return { rank: Number(rank), id };
}

const refused = (message: string) =>
  problem('invalid-request', { errors: [{ path: 'cursor', message }] });
