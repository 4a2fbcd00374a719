// Reads that come thousands of times a second: named statements whose one value is the finished answer, as text.

/** A statement of one row and one column. */
export interface ReadStatement {
  /** By which the server keeps its plan; one of a kind. */
  name: string;
  text: string;
}

export interface Reads {
  /** The value; one round trip, which others may share. Rejects as a query does. */
  one(statement: ReadStatement, values: readonly (string | number | null)[]): Promise<string>;
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
