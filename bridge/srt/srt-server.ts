// The SRT server: one UDP port on which any number of encoders call, told apart by their stream ids.
import type { Caller } from '../caller.ts';
import type { IngestServer, IngestServerOptions } from '../rtmp/rtmp-server.ts';
import type { SrtLibrary } from './library.ts';
import { ipOf, portOf, socketAddress, socketAddressBytesMax } from './socket-address.ts';
import { SrtCaller } from './srt-caller.ts';
import { keyOfStreamId } from './stream-id.ts';

/** Of the enumerations in srt.h. */
const flags = { isReceiveBlocking: 2, receiveBufferBytes: 6, streamId: 46 };
const pollIn = 0x1;
const pollError = 0x8;
const logCritical = 2;

const backlog = 16;
/** Three seconds of the bit rate that is allowed by default: what is older is late anyway. */
const receiveBufferBytes = 4 * 1024 * 1024;
const streamIdBytesMax = 512;
const eventsMax = 64;
/** Also how long closing may take. */
const waitMs = 100;
/** A message is a UDP packet at most; so many are handed on as one piece. */
const messageBytesMax = 1_500;
const messagesMax = 48;

/** Throws when the port cannot be had. */
export function startSrtServer(library: SrtLibrary, options: IngestServerOptions): IngestServer {
  library.startUp();
  library.setLogLevel(logCritical);
  const listener = openListener(library, options);
  const poll = library.createPoll();
  const interest = int(pollIn | pollError);
  library.watch(poll, listener, interest);
  const callers = new Map<number, SrtCaller>();
  const received = Buffer.alloc(messageBytesMax * messagesMax);
  let ending = false;

  function takeAll(): void {
    for (;;) {
      const name = Buffer.alloc(socketAddressBytesMax);
      const socket = library.accept(listener, name, int(name.length));
      if (socket < 0) return;
      take(socket, ipOf(name));
    }
  }

  function take(socket: number, address: string): void {
    const key = keyOfStreamId(streamIdOf(library, socket));
    const leave = key === null ? null : options.doorstep.enterWithKey(address);
    if (key === null || !leave) {
      library.close(socket);
      return;
    }
    // Watched from the start, so that its end is heard of while the edge is asked.
    library.watch(poll, socket, int(pollError));
    const caller: SrtCaller = new SrtCaller(
      {
        flow(open) {
          library.unwatch(poll, socket);
          library.watch(poll, socket, open ? interest : int(pollError));
        },
        close() {
          library.unwatch(poll, socket);
          library.close(socket);
          callers.delete(socket);
          leave();
        },
      },
      key,
      address,
    );
    callers.set(socket, caller);
    options.onCaller(caller satisfies Caller);
  }

  function read(socket: number, caller: SrtCaller): void {
    let length = 0;
    for (let messages = 0; messages < messagesMax; messages += 1) {
      const bytes = library.receive(socket, received.subarray(length), messageBytesMax);
      if (bytes <= 0) break;
      length += bytes;
    }
    if (length > 0) caller.hear(Buffer.from(received.subarray(0, length)));
  }

  function serve(socket: number, event: number): void {
    if (socket === listener) {
      takeAll();
      return;
    }
    const caller = callers.get(socket);
    if (!caller) return;
    if (event & pollIn) read(socket, caller);
    if (event & pollError) caller.close();
  }

  async function run(): Promise<void> {
    const events = Buffer.alloc(eventsMax * 8);
    while (!ending) {
      const count = await library.wait(poll, events, eventsMax, waitMs);
      for (let at = 0; at < Math.min(count, eventsMax) && !ending; at += 1) {
        serve(readInt(events, at * 8), readInt(events, at * 8 + 4));
      }
    }
  }

  const running = run();
  return {
    port: localPort(library, listener),
    async close() {
      ending = true;
      await running;
      for (const caller of [...callers.values()]) caller.close();
      library.close(listener);
      library.releasePoll(poll);
      library.cleanUp();
    },
  };
}

function openListener(library: SrtLibrary, { address, port }: IngestServerOptions): number {
  const listener = library.createSocket();
  const set = (flag: number, value: number) => library.setFlag(listener, flag, int(value), 4);
  // Accepted sockets are like their listener.
  set(flags.isReceiveBlocking, 0);
  set(flags.receiveBufferBytes, receiveBufferBytes);
  const name = socketAddress(address, port);
  if (library.bind(listener, name, name.length) < 0 || library.listen(listener, backlog) < 0) {
    const why = library.lastError();
    library.close(listener);
    throw new Error(`SRT cannot listen on port ${port}: ${why}`);
  }
  return listener;
}

function streamIdOf(library: SrtLibrary, socket: number): string {
  const text = Buffer.alloc(streamIdBytesMax + 1);
  const length = int(text.length);
  if (library.getFlag(socket, flags.streamId, text, length) < 0) return '';
  return text.toString('utf8', 0, readInt(length, 0));
}

function localPort(library: SrtLibrary, socket: number): number {
  const name = Buffer.alloc(socketAddressBytesMax);
  library.localName(socket, name, int(name.length));
  return portOf(name);
}

/** An int of C, as this machine writes it. */
function int(value: number): Buffer {
  return Buffer.from(Int32Array.of(value).buffer);
}

function readInt(bytes: Buffer, at: number): number {
  return new Int32Array(Uint8Array.from(bytes.subarray(at, at + 4)).buffer)[0] ?? 0;
}
