// A room client for tests: a real WebSocket that keeps every frame and can wait for one.

import { type ClientOptions, WebSocket } from 'ws';
import {
  type ClientFrame,
  type ClientFrameOf,
  errorOfCloseCode,
  type ResponseData,
  responseData,
  ServerFrame,
  type SocketErrorCode,
  signallingVersion,
} from '#contract';

type Body<T extends ClientFrame['type']> = Omit<ClientFrameOf<T>, 'id' | 'type'>;
type FrameOf<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;

/** Thrown by `request` when the node answers with an `error` frame. */
class RequestRefused extends Error {
  readonly code: SocketErrorCode;

  constructor(code: SocketErrorCode, detail: string) {
    super(`${code}: ${detail}`);
    this.code = code;
  }
}

export class RoomClient {
  readonly frames: ServerFrame[] = [];
  /** Resolves with the error that the close code stands for, or with the bare code. */
  readonly closed: Promise<SocketErrorCode | number>;
  readonly #socket: WebSocket;
  readonly #waiting = new Set<() => void>();
  #nextId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      this.frames.push(ServerFrame.parse(JSON.parse(data.toString())));
      for (const check of this.#waiting) check();
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', (code) => resolve(errorOfCloseCode(code) ?? code));
    });
  }

  static async connect(url: string, options: ClientOptions = {}): Promise<RoomClient> {
    const socket = new WebSocket(url, options);
    const client = new RoomClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  /** Connects and joins in one go. */
  static async join(url: string, ticket: string, options?: ClientOptions): Promise<RoomClient> {
    const client = await RoomClient.connect(url, options);
    await client.request('join', { version: signallingVersion, ticket });
    return client;
  }

  async request<T extends ClientFrame['type']>(type: T, body: Body<T>): Promise<ResponseData<T>> {
    const id = this.#nextId++;
    this.sendText(JSON.stringify({ id, type, ...body }));
    const frame = await this.wait(
      (candidate): candidate is FrameOf<'response'> | FrameOf<'error'> =>
        (candidate.type === 'response' || candidate.type === 'error') && candidate.id === id,
    );
    if (frame.type === 'error') throw new RequestRefused(frame.code, frame.detail);
    // biome-ignore lint/suspicious/noExplicitAny: the table's entry for T parses to exactly this type
    return responseData[type].parse(frame.data) as any;
  }

  /** The first frame, from now on or from before, that fits. */
  wait<T extends ServerFrame>(fits: (frame: ServerFrame) => frame is T): Promise<T>;
  wait(fits: (frame: ServerFrame) => boolean): Promise<ServerFrame>;
  wait(fits: (frame: ServerFrame) => boolean): Promise<ServerFrame> {
    return new Promise((resolve) => {
      const check = () => {
        const found = this.frames.find(fits);
        if (!found) return;
        this.#waiting.delete(check);
        resolve(found);
      };
      this.#waiting.add(check);
      check();
    });
  }

  of<T extends ServerFrame['type']>(type: T): FrameOf<T>[] {
    return this.frames.filter((frame): frame is FrameOf<T> => frame.type === type);
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  sendBinary(data: Buffer): void {
    this.#socket.send(data);
  }

  /** Reads nothing more until `resume`, as a device does that cannot keep up. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Breaks the connection without a word, as a lost network does. */
  cut(): void {
    this.#socket.terminate();
  }

  close(): void {
    this.#socket.close();
  }
}

/** Fits the notice that exactly these sources can be consumed. */
export function showing(sources: string[]) {
  return (frame: ServerFrame) =>
    frame.type === 'room.media' && frame.sources.join() === sources.join();
}
