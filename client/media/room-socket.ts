// The room socket: one joined WebSocket, on which requests are answered by id and notices come down.
import {
  type ClientFrame,
  type ClientFrameOf,
  errorOfCloseCode,
  type IceServer,
  type ResponseData,
  responseData,
  ServerFrame,
  type SocketErrorCode,
  signallingVersion,
  type TicketGrant,
} from '#contract';
import { type Cancel, type Clock, repeat } from '../models/clock.ts';

export const socketOpenTimeoutMs = 5_000;
export const requestTimeoutMs = 8_000;
/** How often a quiet socket is asked whether it is still there. */
export const pingIntervalMs = 10_000;
export const pingTimeoutMs = 5_000;
export const requestsOpenMax = 32;
/** Notices kept until somebody listens; a room that says more before that is fetched anew anyway. */
export const earlyNoticesMax = 64;

/** Why a socket ended or a request failed. `lost` is a broken link, `late` an answer that never came. */
export type SocketFault = SocketErrorCode | 'lost' | 'late';

export class SocketError extends Error {
  readonly code: SocketFault;
  constructor(code: SocketFault, detail: string) {
    super(detail);
    this.name = 'SocketError';
    this.code = code;
  }
}

export type Notice = Exclude<ServerFrame, { type: 'response' | 'error' }>;
export type OpenWebSocket = (url: string) => WebSocket;
export type RoomSocketDeps = {
  openWebSocket: OpenWebSocket;
  clock: Clock;
  /** A transport that is asked for right behind joining, which saves a round trip. */
  transportAhead?: Direction | null;
};

type Direction = ClientFrameOf<'transport.create'>['direction'];
type TransportData = ResponseData<'transport.create'>;
type Type = ClientFrame['type'];
type Fields<T extends Type> = Omit<ClientFrameOf<T>, 'id' | 'type'>;
type OpenRequest = { settle(data: unknown): void; fail(error: SocketError): void };

export class RoomSocket {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #requests = new Map<number, OpenRequest>();
  readonly #listeners = new Set<(notice: Notice) => void>();
  readonly #ended = Promise.withResolvers<SocketFault>();
  readonly #stopPings: Cancel;
  #fault: SocketFault | null = null;
  #lastError: SocketErrorCode | null = null;
  #nextId = 1;
  #joined: ResponseData<'join'> | null = null;
  #iceServers: readonly IceServer[];
  #ahead: { direction: Direction; data: Promise<TransportData> } | null = null;
  /** Notices that came before anybody listened, so that none is lost between joining and listening. */
  #early: Notice[] | null = [];

  private constructor(socket: WebSocket, iceServers: readonly IceServer[], clock: Clock) {
    this.#socket = socket;
    this.#iceServers = iceServers;
    this.#clock = clock;
    socket.addEventListener('message', (message) => this.#receive(message.data));
    socket.addEventListener('close', (event) =>
      this.#end(errorOfCloseCode(event.code) ?? this.#lastError ?? 'lost'),
    );
    socket.addEventListener('error', () => this.#end(this.#lastError ?? 'lost'));
    this.#stopPings = repeat(clock, pingIntervalMs, () => this.check());
  }

  /** Opens a socket and joins the room that the ticket names. */
  static async join(
    room: TicketGrant['room'],
    { openWebSocket, clock, transportAhead = null }: RoomSocketDeps,
  ): Promise<RoomSocket> {
    const socket = new RoomSocket(openWebSocket(room.url), room.iceServers, clock);
    try {
      await socket.#opened();
      const joining = socket.request('join', { version: signallingVersion, ticket: room.ticket });
      if (transportAhead) socket.#askAhead(transportAhead);
      socket.#joined = await joining;
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** What the room said on joining. */
  get joined(): ResponseData<'join'> {
    if (!this.#joined) throw new SocketError('out-of-order', 'the socket has not joined yet');
    return this.#joined;
  }

  /** The relays that came with the newest ticket. */
  get iceServers(): readonly IceServer[] {
    return this.#iceServers;
  }

  /** A later ticket for the same room has come, whose relays may be used for longer. */
  renewIceServers(iceServers: readonly IceServer[]): void {
    this.#iceServers = iceServers;
  }

  /** Resolves once, with the reason, when the socket has ended. */
  get ended(): Promise<SocketFault> {
    return this.#ended.promise;
  }

  get isOpen(): boolean {
    return this.#fault === null;
  }

  request<T extends Type>(
    type: T,
    fields: Fields<T>,
    timeoutMs = requestTimeoutMs,
  ): Promise<ResponseData<T>> {
    if (this.#fault) return Promise.reject(new SocketError(this.#fault, 'the socket has ended'));
    if (this.#requests.size >= requestsOpenMax) {
      return Promise.reject(new SocketError('rate-limited', 'too many requests are open'));
    }
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const cancel = this.#clock.after(timeoutMs, () => {
      this.#requests.delete(id);
      reject(new SocketError('late', `no answer to ${type}`));
    });
    this.#requests.set(id, {
      settle(data) {
        cancel();
        resolve(data);
      },
      fail(error) {
        cancel();
        reject(error);
      },
    });
    this.#socket.send(JSON.stringify({ id, type, ...fields }));
    return promise.then((data) => responseData[type].parse(data) as ResponseData<T>);
  }

  /** Creates a transport, or hands out the one that was asked for ahead. */
  createTransport(direction: Direction): Promise<TransportData> {
    const ahead = this.#ahead?.direction === direction ? this.#ahead : null;
    if (!ahead) return this.request('transport.create', { direction });
    this.#ahead = null;
    return ahead.data;
  }

  /** Hears every notice from now on, and those that came before the first listener. */
  onNotice(listener: (notice: Notice) => void): Cancel {
    this.#listeners.add(listener);
    const early = this.#early;
    this.#early = null;
    for (const notice of early ?? []) listener(notice);
    return () => this.#listeners.delete(listener);
  }

  /** A link may be dead without saying so: a ping without an answer ends the socket as `late`. */
  async check(timeoutMs = pingTimeoutMs): Promise<void> {
    if (!this.#joined || this.#fault) return;
    try {
      await this.request('ping', {}, timeoutMs);
    } catch (error) {
      // Whoever answers, even with a refusal, is there.
      if (error instanceof SocketError && error.code === 'late') this.#end('late');
    }
  }

  close(): void {
    this.#end('lost');
  }

  /** Requests are served in their order, so this one finds the peer joined. */
  #askAhead(direction: Direction): void {
    const data = this.request('transport.create', { direction });
    data.catch(() => {
      // Whoever takes it hears of it.
    });
    this.#ahead = { direction, data };
  }

  #opened(): Promise<void> {
    if (this.#socket.readyState === 1) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(socketOpenTimeoutMs, () => this.#end('late'));
    this.#socket.addEventListener('open', () => resolve(), { once: true });
    this.ended.then((fault) => reject(new SocketError(fault, 'the socket did not open')));
    return promise.finally(cancel);
  }

  #receive(text: unknown): void {
    const frame = parseFrame(text);
    // A frame that this version does not know is news for a later version, not a fault.
    if (!frame) return;
    if (frame.type === 'response') this.#take(frame.id)?.settle(frame.data);
    else if (frame.type === 'error') this.#refuse(frame.id, frame.code, frame.detail);
    else if (this.#early) {
      if (this.#early.length < earlyNoticesMax) this.#early.push(frame);
    } else for (const listener of this.#listeners) listener(frame);
  }

  #refuse(id: number | null, code: SocketErrorCode, detail: string): void {
    if (id === null) this.#lastError = code;
    else this.#take(id)?.fail(new SocketError(code, detail));
  }

  #take(id: number): OpenRequest | undefined {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    return request;
  }

  #end(fault: SocketFault): void {
    if (this.#fault) return;
    this.#fault = fault;
    this.#stopPings();
    const error = new SocketError(fault, 'the socket has ended');
    for (const request of this.#requests.values()) request.fail(error);
    this.#requests.clear();
    this.#listeners.clear();
    if (this.#socket.readyState <= 1) this.#socket.close(1000);
    this.#ended.resolve(fault);
  }
}

function parseFrame(text: unknown): ServerFrame | null {
  if (typeof text !== 'string') return null;
  try {
    return ServerFrame.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    // Not JSON: not for us.
    return null;
  }
}
