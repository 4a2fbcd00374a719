// The memory of the house: connections, queries by noun, and the ledger's acts.
export * from './connect.ts';
export * from './events.ts';
export * from './ledger.ts';
export * from './media.ts';
export * from './payments.ts';
export { isDatabaseUnavailable, Refusal } from './refusal.ts';
export * from './sessions.ts';
export * from './streams.ts';
export * from './users.ts';
