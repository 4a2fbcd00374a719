// The decider: the API's type for clients; the app itself is started by `runtime/`.
export type { Api } from './app.ts';
