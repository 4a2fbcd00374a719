// A room for tests: the server's end of room sockets, driven by hand.
import { closeCodeOf, type ServerFrame, type SocketErrorCode } from '#contract';
import type { RoomSocket } from '../media/room-socket.ts';

type Frame = { id: number; type: string; [field: string]: unknown };

/** The server's end of one socket; `socket` is what the client holds. */
export type FakeConnection = {
  readonly url: string;
  readonly socket: WebSocket;
  readonly frames: Frame[];
  send(frame: ServerFrame): void;
  /** Closes with one of our codes, or like a broken line. */
  close(code?: SocketErrorCode): void;
};

export type FakeRoom = {
  readonly connections: FakeConnection[];
  open(url: string): WebSocket;
  /** The newest connection. */
  latest(): FakeConnection;
};

export const anyUuid = '00000000-0000-4000-8000-000000000001';

/** What a socket is told when it has joined. */
export const joined: RoomSocket['joined'] = {
  peerId: anyUuid,
  nodeId: 'node-1',
  streamId: anyUuid,
  capabilities: ['subscribe', 'publish'],
  routerRtpCapabilities: {},
  publishing: true,
  viewers: 3,
};

export type FakeRoomOptions = {
  /** Answers a request: with data, with `silence`, with an error code, or (undefined) as usual. */
  answer?: (frame: Frame) => object | SocketErrorCode | undefined;
  /** Connections that fail to open, counted from the first. */
  refuseFirst?: number;
};

class FakeSocket extends EventTarget {
  readonly url: string;
  readyState = 0;
  onSend: (text: string) => void = () => {};
  onClose: () => void = () => {};

  constructor(url: string) {
    super();
    this.url = new URL(url).href;
  }

  send(text: string): void {
    this.onSend(text);
  }

  close(): void {
    this.end(1000);
  }

  end(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onClose();
    this.dispatchEvent(Object.assign(new Event('close'), { code }));
  }
}

function defaultAnswer(frame: Frame): object {
  return frame.type === 'join' ? joined : {};
}

export function createFakeRoom(options: FakeRoomOptions = {}): FakeRoom {
  const connections: FakeConnection[] = [];
  let refusals = options.refuseFirst ?? 0;

  function connect(url: string, fake: FakeSocket): FakeConnection {
    const frames: Frame[] = [];
    const tell = (frame: object) =>
      fake.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(frame) }));
    fake.onSend = (text) => {
      const frame = JSON.parse(text) as Frame;
      frames.push(frame);
      const answer = options.answer?.(frame) ?? defaultAnswer(frame);
      if (typeof answer === 'string') {
        queueMicrotask(() => tell({ type: 'error', id: frame.id, code: answer, detail: 'no' }));
      } else if (!('silence' in answer)) {
        queueMicrotask(() => tell({ type: 'response', id: frame.id, data: answer }));
      }
    };
    return {
      url,
      socket: fake as unknown as WebSocket,
      frames,
      send: tell,
      close: (code) => fake.end(code ? closeCodeOf(code) : 1006),
    };
  }

  return {
    connections,
    open(url) {
      const fake = new FakeSocket(url);
      const connection = connect(url, fake);
      connections.push(connection);
      const opens = refusals <= 0;
      refusals -= 1;
      queueMicrotask(() => {
        if (!opens) {
          fake.end(1006);
          return;
        }
        if (fake.readyState !== 0) return;
        fake.readyState = 1;
        fake.dispatchEvent(new Event('open'));
      });
      return connection.socket;
    },
    latest() {
      const latest = connections[connections.length - 1];
      if (!latest) throw new Error('nobody has connected');
      return latest;
    },
  };
}

/** In place of an answer: the request is heard and never answered. */
export const silence = { silence: true };
