// A node link: this node's socket into a room of another node, from which it brings that room's media.
import { EventEmitter, once } from 'node:events';
import { WebSocket } from 'ws';
import {
  type ClientFrame,
  type ClientFrameOf,
  frameBytesMax,
  type ResponseData,
  type RoomMediaNotice,
  responseData,
  ServerFrame,
  signallingVersion,
} from '#contract';
import { withDeadline } from './deadline.ts';

/** The other node answers within so long, or the link is given up. */
const answerTimeoutMs = 3_000;
/** A connection that has not been heard of for so long is dead, though nobody has said so. */
const silenceMaxMs = 3_000;
const pingIntervalMs = 1_000;

type Notice = Exclude<ServerFrame, { type: 'response' | 'error' }>;

interface NodeLinkEvents {
  notice: [Notice];
  /** Once: the link is gone, whoever closed it. */
  close: [];
}

interface Pending {
  resolve(data: unknown): void;
  reject(error: Error): void;
}

export class NodeLink extends EventEmitter<NodeLinkEvents> {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  readonly #pulse: NodeJS.Timeout;
  #nextId = 0;
  #heardAtMs = performance.now();
  #roomMedia: RoomMediaNotice | null = null;
  #isSentAway = false;

  private constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.on('message', (data) => this.#receive(data.toString()));
    socket.on('pong', () => {
      this.#heardAtMs = performance.now();
    });
    // What it is about the close event tells as well.
    socket.on('error', () => undefined);
    socket.once('close', () => this.#end());
    this.#pulse = setInterval(() => this.#beat(), pingIntervalMs);
  }

  /** Connects and joins; rejects when either takes too long or is refused. */
  static async join(url: string, ticket: string): Promise<NodeLink> {
    const socket = new WebSocket(url, {
      maxPayload: frameBytesMax,
      handshakeTimeout: answerTimeoutMs,
    });
    const link = new NodeLink(socket);
    try {
      await once(socket, 'open');
      await link.request('join', { version: signallingVersion, ticket });
      return link;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  /** What the room has said last of its media, which it does first right behind joining. */
  get roomMedia(): RoomMediaNotice | null {
    return this.#roomMedia;
  }

  /** Whether the other node has asked to be left. */
  get isSentAway(): boolean {
    return this.#isSentAway;
  }

  get closed(): boolean {
    return this.#socket.readyState !== WebSocket.OPEN;
  }

  async request<T extends ClientFrame['type']>(
    type: T,
    body: Omit<ClientFrameOf<T>, 'id' | 'type'>,
  ): Promise<ResponseData<T>> {
    this.#nextId += 1;
    const id = this.#nextId;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    this.#socket.send(JSON.stringify({ id, type, ...body }));
    try {
      const data = await withDeadline(
        answer,
        answerTimeoutMs,
        () => new Error(`the other node does not answer "${type}"`),
      );
      return responseData[type].parse(data) as ResponseData<T>;
    } finally {
      this.#pending.delete(id);
    }
  }

  close(): void {
    this.#socket.close();
    // Whoever does not answer the close is cut off by the next beat.
    this.#end();
  }

  #receive(text: string): void {
    this.#heardAtMs = performance.now();
    const parsed = ServerFrame.safeParse(jsonOrNull(text));
    if (!parsed.success) return;
    const frame = parsed.data;
    if (frame.type === 'response') {
      this.#pending.get(frame.id)?.resolve(frame.data);
    } else if (frame.type === 'error') {
      const failed = new Error(`${frame.code}: ${frame.detail}`);
      if (frame.id !== null) this.#pending.get(frame.id)?.reject(failed);
    } else {
      if (frame.type === 'room.media') this.#roomMedia = frame;
      else if (frame.type === 'room.move') this.#isSentAway = true;
      this.emit('notice', frame);
    }
  }

  #beat(): void {
    if (performance.now() - this.#heardAtMs > silenceMaxMs) this.#socket.terminate();
    else if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  #end(): void {
    if (this.#socket.readyState === WebSocket.CLOSED) clearInterval(this.#pulse);
    for (const { reject } of this.#pending.values()) reject(new Error('the link is closed'));
    this.#pending.clear();
    this.emit('close');
    this.removeAllListeners();
  }
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
