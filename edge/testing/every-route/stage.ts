// The stage of the acts that call every route once: who acts, and where requests go.
import { type Answer, newAddress, newKey, type TestEdge } from '../../../testing/edge.ts';
import type { Cast } from '../cast.ts';

interface Request {
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Stage {
  /** Where people, money and the gateway are. */
  edge: TestEdge;
  cast: Cast;
  /** One request to the edge that is tried, which need not be `edge`; throws unless it is taken. */
  call(method: string, path: string, request?: Request): Promise<Answer>;
}

/** Every call is a request of its own, from a line of its own. */
export function createStage(
  edge: TestEdge,
  cast: Cast,
  send: (
    method: string,
    path: string,
    request: Required<Omit<Request, 'token'>>,
  ) => Promise<Answer>,
): Stage {
  return {
    edge,
    cast,
    async call(method, path, { token, body, headers } = {}) {
      const address = newAddress();
      const answer = await send(method, path, {
        body,
        headers: {
          'idempotency-key': newKey(),
          'x-test-address': address,
          'cf-connecting-ip': address,
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...headers,
        },
      });
      if (answer.status >= 300) {
        throw new Error(
          `${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`,
        );
      }
      return answer;
    },
  };
}
