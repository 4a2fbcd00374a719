// Pages of rows by their ids, which grow with time: what waits from the oldest on, anything else from the newest on.
import { type SQL, sql } from 'drizzle-orm';

/** `after` is the id of the last row on the page before. */
export interface IdPage {
  after?: string | undefined;
  limit: number;
}

/** The end of a query whose `where` has begun, and the order of its rows once more for whoever gathers them. */
export function idPage(
  { after, limit }: IdPage,
  first: 'oldest' | 'newest',
): { rows: SQL; order: SQL } {
  const isBehind = first === 'oldest' ? sql`id > ${after}::uuid` : sql`id < ${after}::uuid`;
  const order = first === 'oldest' ? sql`id` : sql`id desc`;
  return {
    rows: sql`${after === undefined ? sql`` : sql`and ${isBehind}`} order by ${order} limit ${limit}`,
    order,
  };
}
