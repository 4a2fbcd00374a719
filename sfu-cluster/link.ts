// A link: one room socket, with its limits. Requests are served in order; answers and notices go out.
import { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import {
  type ClientFrame,
  closeCodeOf,
  frameBytesMax,
  type ResponseData,
  requestBurstMax,
  requestRatePerSecond,
  type ServerFrame,
  type SocketErrorCode,
  sendBufferBytesMax,
} from '#contract';
import { withDeadline } from './deadline.ts';
import { type EncodedFrame, encodeFrame, parseFrame } from './frames.ts';
import { Refusal, type RefusalCounter, refusal } from './refusals.ts';
import { createTokenBucket } from './token-bucket.ts';

/** Malformed, too frequent or misplaced frames that a socket may send before it is closed. */
export const offencesMax = 5;
const offencesForgivenPerSecond = 0.1;
/** Length of the requests of one socket that may wait for their turn. */
export const waitingCharsMax = 4 * frameBytesMax;
/** A request that a worker has not answered by then has failed. */
const requestTimeoutMs = 10_000;
/**
 * How long the other side may take to answer a close before the connection is cut: whoever is sent away has left
 * within two seconds, whether it wants or not.
 */
const closeGraceMs = 1_000;

export type Answer = ResponseData<ClientFrame['type']>;

/** `data` is the answer; `after` runs right after it was sent, for what must not overtake it. */
export interface Served {
  data: Answer;
  after?: () => void;
}

interface LinkEvents {
  /** Once: the socket is gone, whoever closed it. */
  close: [];
}

export class Link extends EventEmitter<LinkEvents> {
  readonly #socket: WebSocket;
  readonly #refusals: RefusalCounter;
  readonly #serve: (frame: ClientFrame) => Promise<Served>;
  readonly #rate = createTokenBucket({
    ratePerSecond: requestRatePerSecond,
    burst: requestBurstMax,
  });
  readonly #offences = createTokenBucket({
    ratePerSecond: offencesForgivenPerSecond,
    burst: offencesMax,
  });
  #log: Logger;
  #line: Promise<void> = Promise.resolve();
  #waiting = 0;
  #waitingChars = 0;
  #closing = false;

  private constructor(options: LinkOptions) {
    super();
    this.#socket = options.socket;
    this.#refusals = options.refusals;
    this.#serve = options.serve;
    this.#log = options.log;
  }

  static open(options: LinkOptions): Link {
    const link = new Link(options);
    const { socket } = options;
    socket.on('message', (data, isBinary) => link.#receive(data, isBinary));
    socket.on('error', (error) => link.#log.debug({ err: error }, 'socket error'));
    socket.once('close', () => {
      link.#closing = true;
      link.emit('close');
    });
    return link;
  }

  /** True from the moment in which the socket is being closed. */
  get closed(): boolean {
    return this.#closing;
  }

  /** Adds who the peer is to the log lines of this link. */
  identify(fields: { streamId: string; peerId: string }): void {
    this.#log = this.#log.child(fields);
  }

  send(frame: ServerFrame): void {
    this.sendEncoded(encodeFrame(frame));
  }

  /** Sends what was encoded before; a socket that does not keep up is closed and may come back. */
  sendEncoded(frame: EncodedFrame): void {
    if (this.#closing) return;
    if (this.#socket.bufferedAmount > sendBufferBytesMax) {
      this.close('too-slow', 'the socket does not keep up');
      return;
    }
    this.#socket.send(frame, { binary: false });
  }

  /** Closes with the close code of `code`; safe to call again. */
  close(code: SocketErrorCode, detail: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#refusals.count(code);
    this.#log.debug({ code }, 'socket closed by the node');
    this.#socket.close(closeCodeOf(code), detail.slice(0, 100));
    const cut = setTimeout(() => this.#socket.terminate(), closeGraceMs);
    cut.unref();
    this.once('close', () => clearTimeout(cut));
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#closing) return;
    const text = data.toString();
    const parsed = isBinary
      ? ({ ok: false, id: null, detail: 'frames are text' } as const)
      : parseFrame(text);
    const id = parsed.ok ? parsed.frame.id : parsed.id;
    const crowded =
      this.#waiting >= requestBurstMax || this.#waitingChars + text.length > waitingCharsMax;
    if (!this.#rate.take() || crowded) {
      this.#offend(refusal('rate-limited', 'too many requests'), id);
    } else if (!parsed.ok) {
      this.#offend(refusal('malformed-frame', parsed.detail), id);
    } else {
      const { frame } = parsed;
      this.#waiting += 1;
      this.#waitingChars += text.length;
      this.#line = this.#line.then(() => {
        this.#waiting -= 1;
        this.#waitingChars -= text.length;
        return this.#answer(frame);
      });
    }
  }

  async #answer(frame: ClientFrame): Promise<void> {
    if (this.#closing) return;
    try {
      const served = await withDeadline(this.#serve(frame), requestTimeoutMs, () =>
        refusal('unavailable', 'the media worker does not answer'),
      );
      this.send({ type: 'response', id: frame.id, data: served.data });
      served.after?.();
    } catch (error) {
      this.#failed(error, frame);
    }
  }

  #failed(error: unknown, frame: ClientFrame): void {
    const reason = this.#reasonOf(error, frame);
    if (reason.code === 'out-of-order') {
      this.#offend(reason, frame.id);
    } else if (frame.type === 'join') {
      // Without a room there is nothing more to say: the error names the reason, the close repeats it.
      this.#sendError(reason, frame.id);
      this.close(reason.code, reason.message);
    } else {
      this.#refuse(reason, frame.id);
    }
  }

  #reasonOf(error: unknown, frame: ClientFrame): Refusal {
    if (error instanceof Refusal) return error;
    this.#log.error({ err: error, request: frame.type }, 'a request failed');
    return refusal('internal', 'something went wrong on our side');
  }

  /** A refusal that counts against the socket: it is forgiven a few. */
  #offend(error: Refusal, id: number | null): void {
    if (this.#offences.take()) {
      this.#refuse(error, id);
      return;
    }
    this.#sendError(error, id);
    this.close(error.code, `too many offences: ${error.message}`);
  }

  #refuse(error: Refusal, id: number | null): void {
    if (this.#closing) return;
    this.#refusals.count(error.code);
    this.#sendError(error, id);
  }

  #sendError(error: Refusal, id: number | null): void {
    this.send({ type: 'error', id, code: error.code, detail: error.message });
  }
}

interface LinkOptions {
  socket: WebSocket;
  refusals: RefusalCounter;
  log: Logger;
  /** Answers one request, or throws a `Refusal`; never called while another one is under way. */
  serve(frame: ClientFrame): Promise<Served>;
}
