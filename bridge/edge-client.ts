// The edge, as encoders know it: a stream key for a ticket to publish.
import { type IngestProtocol, IngestTicket, type IngestTicket as Ticket } from '#contract';

const answerTimeoutMs = 5_000;

/** The edge has decided against it. */
export class EdgeRefusal extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`the edge answers ${status}`);
    this.status = status;
  }

  /** No such key, or one that is not for this: what a guess is answered with. */
  get isWrongKey(): boolean {
    return this.status === 401 || this.status === 403;
  }

  /** Asking again may help. */
  get isPassing(): boolean {
    return this.status >= 500 || this.status === 429;
  }
}

export interface Sender {
  key: string;
  protocol: IngestProtocol;
  address: string;
}

export interface EdgeClient {
  /** Throws an `EdgeRefusal`, or another error when the edge is not there. */
  ticketFor(sender: Sender): Promise<Ticket>;
}

/** The bridge has no secret of its own: it may do what the keys that it is shown may do. */
export function createEdgeClient(edgeUrl: string, addressHeader: string | undefined): EdgeClient {
  return {
    async ticketFor({ key, protocol, address }) {
      const answer = await fetch(`${edgeUrl}/v1/ingest/tickets`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          ...(addressHeader ? { [addressHeader]: address } : {}),
        },
        body: JSON.stringify({ protocol }),
        redirect: 'error',
        signal: AbortSignal.timeout(answerTimeoutMs),
      });
      if (!answer.ok) {
        await answer.body?.cancel();
        throw new EdgeRefusal(answer.status);
      }
      return IngestTicket.parse(await answer.json());
    },
  };
}
