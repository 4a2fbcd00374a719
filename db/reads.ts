// Reads that come thousands of times a second: named statements whose one value is the finished answer, as text.

/** A statement of one row and one column. */
export interface ReadStatement {
  /** By which the server keeps its plan; one of a kind. */
  name: string;
  text: string;
}

export type ReadValues = readonly (string | number | null)[];

export interface Reads {
  /** The value; one round trip, which others may share. Rejects as a query does. */
  one(statement: ReadStatement, values: ReadValues): Promise<string>;
  /**
   * The same for what may be a moment old: whoever asks while the same question is unanswered gets the answer to that
   * one, where a runtime lets requests wait for one another. Misses what was committed after it was asked.
   */
  shared(statement: ReadStatement, values: ReadValues): Promise<string>;
}

/** `{ balanceTokens }` of somebody's wallet. */
export const walletRead: ReadStatement = {
  name: 'wallet',
  text: `select json_build_object('balanceTokens', ledger.spendable($1::uuid))::text`,
};

/** A page of live streams, as `live_page` takes and answers it. */
export const liveRead: ReadStatement = {
  name: 'live',
  text: 'select live_page($1::jsonb)',
};

/** What a search finds, as `search_page` takes and answers it. */
export const searchRead: ReadStatement = {
  name: 'search',
  text: 'select search_page($1::jsonb)',
};
