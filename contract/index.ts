// The words that every room of the house shares.
export * from './accounts.ts';
export * from './assert.ts';
export * from './bank.ts';
export * from './channels.ts';
export * from './countries.ts';
export * from './events.ts';
export * from './ids.ts';
export * from './money.ts';
export * from './nodes.ts';
export * from './payouts.ts';
export * from './problems.ts';
export * from './signalling.ts';
export * from './staff.ts';
export * from './streams.ts';
export * from './tickets.ts';
export * from './wallet.ts';
