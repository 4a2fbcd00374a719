// SFU link: the socket by which a transcoder asks an SFU node for the media of one room.
import { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import { type RawData, WebSocket } from 'ws';
import {
  assertNever,
  type ClientFrame,
  type ClientFrameOf,
  frameBytesMax,
  type MediaSource,
  type ResponseData,
  responseData,
  ServerFrame,
  signallingVersion,
} from '#contract';

export const linkTimeoutMs = 5_000;
/** A link that does not answer a ping by the next one is dead. */
export const linkPingMs = 3_000;
const requestsWaitingMax = 32;
/** Room events come down this socket as well; they are longer than any request. */
const frameBytesReceivedMax = 16 * frameBytesMax;

interface SfuLinkEvents {
  /** The sources that can be tapped now. */
  media: [sources: MediaSource[]];
  /** Something that was tapped has ended. */
  tapEnded: [];
  /** The link is gone, for the reason given. */
  close: [reason: string];
}

interface WaitingRequest {
  type: ClientFrame['type'];
  resolve(data: unknown): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** `Omit` that keeps a union a union. */
type WithoutId<T> = T extends ClientFrame ? Omit<T, 'id'> : never;

/** The SFU refused a request, or the link is gone. */
export class LinkError extends Error {
  override name = 'LinkError';
}

export class SfuLink extends EventEmitter<SfuLinkEvents> {
  readonly #socket: WebSocket;
  readonly #log: Logger;
  readonly #waiting = new Map<number, WaitingRequest>();
  #ping: NodeJS.Timeout | null = null;
  #nextId = 1;
  #closed = false;
  #moving = false;

  /** Connects and joins; throws `LinkError` when the node cannot be reached or refuses the ticket. */
  static async open(options: { url: string; ticket: string; log: Logger }): Promise<SfuLink> {
    const socket = new WebSocket(options.url, {
      handshakeTimeout: linkTimeoutMs,
      maxPayload: frameBytesReceivedMax,
      perMessageDeflate: false,
      followRedirects: false,
    });
    const link = new SfuLink(socket, options.log);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      link.once('close', (reason) => reject(new LinkError(reason)));
    });
    try {
      await link.request({ type: 'join', version: signallingVersion, ticket: options.ticket });
    } catch (error) {
      link.close();
      throw error;
    }
    link.#keepAlive();
    return link;
  }

  private constructor(socket: WebSocket, log: Logger) {
    super();
    this.#socket = socket;
    this.#log = log;
    socket.on('message', (data) => this.#receive(data));
    socket.on('error', (error) => this.#finish(error.message));
    socket.on('close', (code, reason) => this.#finish(`closed ${code} ${reason}`.trim()));
  }

  get closed(): boolean {
    return this.#closed;
  }

  request<T extends ClientFrame['type']>(
    frame: WithoutId<ClientFrameOf<T>> & { type: T },
  ): Promise<ResponseData<T>> {
    if (this.#closed) return Promise.reject(new LinkError('the link is closed'));
    if (this.#waiting.size >= requestsWaitingMax) {
      return Promise.reject(new LinkError('too many requests wait for an answer'));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new LinkError(`no answer to ${frame.type}`));
      }, linkTimeoutMs);
      this.#waiting.set(id, {
        type: frame.type,
        resolve: (data) => resolve(data as ResponseData<T>),
        reject,
        timer,
      });
      this.#socket.send(JSON.stringify({ ...frame, id }));
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#socket.close();
    this.#finish('closed by us');
    // A peer that does not answer the close must not keep the socket.
    setTimeout(() => this.#socket.terminate(), 1_000).unref();
  }

  #keepAlive(): void {
    let waiting = false;
    this.#ping = setInterval(() => {
      if (waiting) {
        this.#socket.terminate();
        this.#finish('no answer to ping');
        return;
      }
      waiting = true;
      this.request({ type: 'ping' }).then(
        () => {
          waiting = false;
        },
        () => {},
      );
    }, linkPingMs);
  }

  #receive(data: RawData): void {
    const frame = readFrame(data);
    if (!frame) {
      this.#log.warn('unreadable frame from the SFU');
      return;
    }
    switch (frame.type) {
      case 'response':
        this.#answer(frame.id, frame.data);
        return;
      case 'error':
        this.#refuse(frame.id, `${frame.code}: ${frame.detail}`);
        return;
      case 'room.media':
        this.emit('media', frame.sources);
        return;
      case 'consumer.closed':
      case 'producer.closed':
        // What ends on a node that ends itself goes on elsewhere, for which a new ticket is needed.
        if (this.#moving) this.close();
        else this.emit('tapEnded');
        return;
      case 'room.move':
        this.#moving = true;
        return;
      case 'room.event':
      case 'room.resync':
      case 'room.viewers':
      case 'room.stage':
      case 'producer.layers':
      case 'producer.sizes':
      case 'producer.held':
        return;
      default:
        assertNever(frame);
    }
  }

  #answer(id: number, data: unknown): void {
    const waiting = this.#take(id);
    if (!waiting) return;
    const parsed = responseData[waiting.type].safeParse(data);
    if (parsed.success) waiting.resolve(parsed.data);
    else waiting.reject(new LinkError(`unreadable answer to ${waiting.type}`));
  }

  #refuse(id: number | null, detail: string): void {
    if (id === null) this.#log.warn({ detail }, 'error from the SFU');
    else this.#take(id)?.reject(new LinkError(detail));
  }

  #take(id: number): WaitingRequest | null {
    const waiting = this.#waiting.get(id);
    if (!waiting) return null;
    clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    return waiting;
  }

  #finish(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#ping) clearInterval(this.#ping);
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(new LinkError(reason));
    this.emit('close', reason);
  }
}

function readFrame(data: RawData): ServerFrame | null {
  try {
    const parsed = ServerFrame.safeParse(JSON.parse(data.toString()));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
