// A room link: the socket into the room of a stream on its node, by which a publisher's tracks are opened.
import { EventEmitter, once } from 'node:events';
import { WebSocket } from 'ws';
import {
  type ClientFrame,
  type ClientFrameOf,
  errorOfCloseCode,
  frameBytesMax,
  type ResponseData,
  responseData,
  ServerFrame,
  type SocketErrorCode,
  signallingVersion,
} from '#contract';

const answerTimeoutMs = 5_000;
/** A node that does not answer pings for so long is gone. */
const silenceMsMax = 3_000;
const pingIntervalMs = 1_000;

interface RoomLinkEvents {
  /** The node is about to end: publish elsewhere. */
  move: [];
  /** Once: the link is gone; null when nobody said why. */
  close: [why: SocketErrorCode | null];
}

interface Pending {
  resolve(data: unknown): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

export class RoomLink extends EventEmitter<RoomLinkEvents> {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  readonly #pulse: NodeJS.Timeout;
  #nextId = 0;
  #heardAtMs = performance.now();
  #closed = false;

  private constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.on('message', (data) => this.#receive(data.toString()));
    socket.on('pong', () => {
      this.#heardAtMs = performance.now();
    });
    // The close event follows.
    socket.on('error', () => undefined);
    socket.once('close', (code) => this.#end(errorOfCloseCode(code)));
    this.#pulse = setInterval(() => this.#beat(), pingIntervalMs);
  }

  /** Connects and joins; rejects when either takes too long or is refused. */
  static async join(url: string, ticket: string): Promise<RoomLink> {
    const socket = new WebSocket(url, {
      maxPayload: frameBytesMax,
      handshakeTimeout: answerTimeoutMs,
    });
    const link = new RoomLink(socket);
    try {
      await once(socket, 'open');
      await link.request('join', { version: signallingVersion, ticket });
      return link;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  async request<T extends ClientFrame['type']>(
    type: T,
    body: Omit<ClientFrameOf<T>, 'id' | 'type'>,
  ): Promise<ResponseData<T>> {
    if (this.#closed) throw new Error('the link is closed');
    const id = this.#nextId++;
    const data = await new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#take(id)?.reject(new Error(`no answer to "${type}"`)),
        answerTimeoutMs,
      );
      this.#pending.set(id, { resolve, reject, timer });
      this.#socket.send(JSON.stringify({ id, type, ...body }));
    });
    return responseData[type].parse(data) as ResponseData<T>;
  }

  close(): void {
    this.#socket.close();
    this.#end(null);
    // Whoever does not answer the close must not keep the socket.
    setTimeout(() => this.#socket.terminate(), answerTimeoutMs).unref();
  }

  #receive(text: string): void {
    this.#heardAtMs = performance.now();
    const frame = readFrame(text);
    if (frame?.type === 'response') this.#take(frame.id)?.resolve(frame.data);
    else if (frame?.type === 'room.move') this.emit('move');
    else if (frame?.type === 'error' && frame.id !== null) {
      this.#take(frame.id)?.reject(new Error(`${frame.code}: ${frame.detail}`));
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    clearTimeout(pending?.timer);
    return pending;
  }

  #beat(): void {
    if (performance.now() - this.#heardAtMs > silenceMsMax) this.#socket.terminate();
    else if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  #end(why: SocketErrorCode | null): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#pulse);
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(new Error('link closed'));
    this.emit('close', why);
  }
}

function readFrame(text: string): ServerFrame | null {
  try {
    return ServerFrame.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    // Not even JSON: a frame that says nothing.
    return null;
  }
}
