// Every table of the product.
export * from './ledger.ts';
export * from './payments.ts';
export * from './people.ts';
export * from './streams.ts';
