// The API: every HTTP request that the client makes, one function each, typed by the edge itself.

import { hc } from 'hono/client';
import type { z } from 'zod';
import type {
  CreateStreamBody,
  EditStreamBody,
  GuestBody,
  ListStreamsQuery,
  PasskeyAnswerBody,
  PostMessageBody,
  ProblemDocument,
  RegisterBody,
  SecondFactorLoginBody,
  StreamKeyBody,
  TicketBody,
  TipBody,
  VerifyPaymentBody,
} from '#contract';
import type { Api as EdgeApi } from '#edge';
import { ApiError, hasCode } from './api-error.ts';

export const requestTimeoutMs = 15_000;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A request of a route, as the person who is logged in; fails with an `ApiError` and nothing else. */
export type SendRequest = (url: string, init: RequestInit, timeoutMs?: number) => Promise<Response>;

/** Where a call gets its access token from. */
export type TokenSource = {
  /** The token to send, renewed first when it is about to end; null for a guest. */
  current(): Promise<string | null>;
  /** A token newer than `stale`, which the edge has refused; null when the session is over. */
  renew(stale: string): Promise<string | null>;
};

/**
 * Told of a request before it is sent; what it answers is called when the edge wants a second factor first, asks the
 * person for one, and says whether it was shown.
 */
export type Prover = (method: string) => () => Promise<boolean>;

async function refusal(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => null)) as ProblemDocument | null;
  const code = problem?.code ?? (response.status >= 500 ? 'internal' : 'invalid-request');
  return new ApiError(code, response.status, problem, problem?.title ?? `HTTP ${response.status}`);
}

/** Sends once; fails with an `ApiError` for every refusal and for every answer that did not come. */
async function send(
  fetch: Fetch,
  url: string,
  init: RequestInit,
  token: string | null,
  timeoutMs = requestTimeoutMs,
): Promise<Response> {
  const headers = new Headers(init.headers);
  if (!headers.has('accept')) headers.set('accept', 'application/json');
  if (token) headers.set('authorization', `Bearer ${token}`);
  let response: Response;
  try {
    response = await fetch(url, {
      ...init,
      headers,
      credentials: 'same-origin',
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    const late = error instanceof DOMException && error.name === 'TimeoutError';
    throw new ApiError(late ? 'timeout' : 'network', 0, null, 'The request got no answer');
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

/** Sends as the person who is logged in; a refused token is renewed, and the request sent again, once. */
async function sendAs(
  tokens: TokenSource,
  fetch: Fetch,
  url: string,
  init: RequestInit,
  timeoutMs?: number,
): Promise<Response> {
  const token = await tokens.current();
  try {
    return await send(fetch, url, init, token, timeoutMs);
  } catch (error) {
    if (!token || !hasCode(error, 'unauthenticated')) throw error;
    const fresh = await tokens.renew(token);
    if (!fresh) throw error;
    return send(fetch, url, init, fresh, timeoutMs);
  }
}

/** Where the edge wants a second factor first, the person is asked for one, and the same request sent again, once. */
async function sendProven(
  prover: Prover,
  init: RequestInit,
  sendOnce: () => Promise<Response>,
): Promise<Response> {
  const prove = prover(init.method ?? 'GET');
  try {
    return await sendOnce();
  } catch (error) {
    if (!hasCode(error, 'step-up-needed') || !(await prove())) throw error;
    return sendOnce();
  }
}

/** The edge's routes as functions. Paths are relative: the client is served by the edge. */
export function createRoutes(sendRequest: SendRequest) {
  const { v1 } = hc<EdgeApi>('/', {
    fetch: (input: RequestInfo | URL, init?: RequestInit) => sendRequest(String(input), init ?? {}),
  });
  return v1;
}

/** The body of an answer that has come; whatever is no success has been thrown before. */
export async function bodyOf<T>(asked: Promise<{ json(): Promise<T> }>): Promise<T> {
  return (await asked).json();
}

export const keyed = (idempotencyKey: string) => ({
  headers: { 'idempotency-key': idempotencyKey },
});

/** Of a change to what was read at this version. */
export const versioned = (version: number) => ({ headers: { 'if-match': `"${version}"` } });

const bearing = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** Calls that make, renew and end a session; they carry no access token of their own accord. */
export function createAuthApi(fetch: Fetch) {
  const { auth, users } = createRoutes((url, init) => send(fetch, url, init, null));
  return {
    register: (json: RegisterBody) => bodyOf(auth.register.$post({ json })),
    login: (json: { email: string; password: string; keepAccount?: boolean }) =>
      bodyOf(auth.login.$post({ json })),
    loginWithCode: (json: z.input<typeof SecondFactorLoginBody>) =>
      bodyOf(auth['second-factor'].login.$post({ json })),
    askForPasskey: () => bodyOf(auth.passkeys.login.options.$post()),
    loginWithPasskey: (json: z.input<typeof PasskeyAnswerBody>) =>
      bodyOf(auth.passkeys.login.$post({ json })),
    loginByLink: (json: { token: string }) => bodyOf(auth['login-link'].$post({ json })),
    refresh: () => bodyOf(auth.refresh.$post()),
    logout: async (): Promise<void> => void (await auth.logout.$post()),
    becomePerformer: (token: string) => bodyOf(auth.performer.$post(undefined, bearing(token))),
    rename: (token: string, username: string) =>
      bodyOf(users.me.username.$put({ json: { username } }, bearing(token))),
  };
}
export type AuthApi = ReturnType<typeof createAuthApi>;

/** Calls on behalf of the person who is logged in, or of a guest where the edge allows it. */
export function createApi(fetch: Fetch, tokens: TokenSource, prover: Prover) {
  const request: SendRequest = (url, init, timeoutMs) =>
    sendProven(prover, init, () => sendAs(tokens, fetch, url, init, timeoutMs));
  const v1 = createRoutes(request);
  const stream = v1.streams[':id'];
  return {
    streams: {
      listLive: (query: ListStreamsQuery) => bodyOf(v1.streams.$get({ query })),
      /** Also those that no list shows, for staff. */
      listEvery: (query: { cursor?: string }) => bodyOf(v1.streams.every.$get({ query })),
      listMine: () => bodyOf(v1.streams.mine.$get({ query: {} })),
      create: (json: CreateStreamBody, idempotencyKey: string) =>
        bodyOf(v1.streams.$post({ json }, keyed(idempotencyKey))),
      read: (id: string) => bodyOf(stream.$get({ param: { id } })),
      edit: (id: string, version: number, json: EditStreamBody) =>
        bodyOf(stream.$patch({ param: { id }, json }, versioned(version))),
      start: (id: string) => bodyOf(stream.start.$post({ param: { id } })),
      raid: (id: string, to: string) => bodyOf(stream.raid.$post({ param: { id }, json: { to } })),
      end: (id: string) => bodyOf(stream.end.$post({ param: { id } })),
      ticket: (id: string, json: z.infer<typeof TicketBody>) =>
        bodyOf(stream.tickets.$post({ param: { id }, json })),
      events: (id: string, after?: number) =>
        bodyOf(
          stream.events.$get({
            param: { id },
            query: after === undefined ? {} : { after: String(after) },
          }),
        ),
      enter: (id: string, entryTokens: number, idempotencyKey: string) =>
        bodyOf(stream.entry.$post({ param: { id }, json: { entryTokens } }, keyed(idempotencyKey))),
      say: (id: string, json: z.infer<typeof PostMessageBody>, idempotencyKey: string) =>
        bodyOf(stream.messages.$post({ param: { id }, json }, keyed(idempotencyKey))),
    },
    streamKeys: {
      list: () => bodyOf(v1['stream-keys'].$get()),
      create: (json: StreamKeyBody, idempotencyKey: string) =>
        bodyOf(v1['stream-keys'].$post({ json }, keyed(idempotencyKey))),
      rotate: (id: string) => bodyOf(v1['stream-keys'][':id'].rotation.$post({ param: { id } })),
      remove: async (id: string): Promise<void> =>
        void (await v1['stream-keys'][':id'].$delete({ param: { id } })),
    },
    search: {
      find: (q: string) => bodyOf(v1.search.$get({ query: { q } })),
    },
    guests: {
      admit: (json: z.infer<typeof GuestBody>) => bodyOf(v1.guests.$post({ json })),
    },
    tips: {
      send: (json: TipBody, idempotencyKey: string) =>
        bodyOf(v1.tips.$post({ json }, keyed(idempotencyKey))),
      fees: () => bodyOf(v1.fees.$get()),
    },
    wallet: {
      read: () => bodyOf(v1.wallet.$get()),
    },
    payments: {
      packages: () => bodyOf(v1.payments.packages.$get()),
      order: (packageId: string, idempotencyKey: string) =>
        bodyOf(v1.payments.orders.$post({ json: { packageId } }, keyed(idempotencyKey))),
      verify: (json: z.infer<typeof VerifyPaymentBody>) =>
        bodyOf(v1.payments.verify.$post({ json })),
    },
    trialBalance: () => bodyOf(v1.admin['trial-balance'].$get()),
    /** For calls that live with the pages which make them, such as those of `money-api.ts` and `security-api.ts`. */
    request,
  };
}
export type Api = ReturnType<typeof createApi>;
