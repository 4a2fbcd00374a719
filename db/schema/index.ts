// Every table of the product.
export * from './audits.ts';
export * from './chain.ts';
export * from './ledger.ts';
export * from './payments.ts';
export * from './payouts.ts';
export * from './people.ts';
export * from './profiles.ts';
export * from './proofs.ts';
export * from './safeguards.ts';
export * from './streams.ts';
