// How a stream is shown to clients.
import { type Stream, StreamCategory } from '#contract';
import type { StreamRow } from '#db';

export function presentStream(row: StreamRow): Stream {
  return {
    id: row.id,
    title: row.title,
    category: StreamCategory.parse(row.category),
    state: row.state,
    endReason: row.endReason,
    performer: { id: row.performerId, username: row.performerName },
    viewers: row.viewers ?? 0,
    thumbnailUrl: row.state === 'live' ? row.thumbnailUrl : null,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
  };
}

/** One page out of one row more than it holds; the cursor is the last row's id. */
export function pageOf<T>(
  rows: T[],
  limit: number,
  cursorOf: (row: T) => string,
): { page: T[]; nextCursor: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, nextCursor: rows.length > limit && last ? cursorOf(last) : null };
}
