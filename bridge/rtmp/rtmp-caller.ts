// A caller by RTMP: one TCP connection that has asked to publish; what it sends becomes FLV.
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import Flv, { type AvPacket } from 'node-media-server/src/protocol/flv.js';
import type { Caller, CallerEvents } from '../caller.ts';
import { keyShownMsMax } from '../limits.ts';
import { BoundedRtmp, commandBytesMax, handshakeBytes } from './bounded-rtmp.ts';

/** Some people write a slash behind the address. */
const appPattern = /^live\/?$/;
const keyPattern = /^[A-Za-z0-9_-]{1,128}$/;
/** An answer that is not read for so long is given up. */
const farewellMs = 1_000;
/** Answers that were not read. */
const answersBytesMax = 64 * 1024;
/** Until it may publish there is nothing to send but a few commands. */
const bytesBeforeGrantMax = handshakeBytes + commandBytesMax;

const audioTag = 8;
const videoTag = 9;
const audioConfiguration = 0;
const videoConfiguration = 2;

export class RtmpCaller extends EventEmitter<CallerEvents> implements Caller {
  readonly protocol = 'rtmp';
  readonly format = 'flv';
  readonly address: string;
  readonly #socket: Socket;
  readonly #rtmp = new BoundedRtmp();
  readonly #configurations = new Map<number, Buffer>();
  #key = '';
  #bytesBeforeGrant = 0;
  #closed = false;

  private constructor(socket: Socket, address: string, onPublish: (caller: RtmpCaller) => void) {
    super();
    this.#socket = socket;
    this.address = address;
    const timer = setTimeout(() => this.close(), keyShownMsMax);
    this.#rtmp.onOutputCallback = (bytes) => this.#answer(bytes);
    this.#rtmp.onConnectCallback = (request) => {
      if (this.#key !== '') throw new Error('published before');
      const isKey = appPattern.test(String(request.app)) && keyPattern.test(request.name);
      if (!isKey) throw new Error('no stream key');
      this.#key = request.name;
    };
    this.#rtmp.onPushCallback = () => {
      clearTimeout(timer);
      onPublish(this);
    };
    this.#rtmp.onPlayCallback = () => {
      throw new Error('nothing is played here');
    };
    this.#rtmp.onPacketCallback = (packet) => this.#take(packet);
    socket.on('data', (bytes) => this.#hear(bytes));
    // The close event follows.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#end();
    });
  }

  /** Listens to a new connection from `address`; `onPublish` is called when it has shown its key. */
  static open(socket: Socket, address: string, onPublish: (caller: Caller) => void): void {
    new RtmpCaller(socket, address, onPublish);
  }

  get key(): string {
    return this.#key;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get head(): Buffer {
    return Buffer.concat([Flv.createHeader(true, true), ...this.#configurations.values()]);
  }

  accept(): void {
    this.#rtmp.grant();
  }

  refuse(): void {
    this.#rtmp.deny();
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), farewellMs).unref();
    this.#end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
    this.#end();
  }

  #answer(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes);
    // Whoever asks and asks and reads no answer must not have them all kept.
    if (this.#socket.writableLength > answersBytesMax) this.close();
  }

  #hear(bytes: Buffer): void {
    if (this.#closed) return;
    if (this.#rtmp.granted) this.emit('received', bytes.length);
    else this.#bytesBeforeGrant += bytes.length;
    if (this.#bytesBeforeGrant > bytesBeforeGrantMax) this.close();
    this.#parse(bytes);
  }

  #parse(bytes: Buffer): void {
    if (this.#closed) return;
    try {
      if (this.#rtmp.parserData(bytes) !== null) this.close();
    } catch {
      // Whatever it was, it was not RTMP as encoders speak it.
      this.close();
    }
  }

  #take(packet: AvPacket): void {
    const { codec_type: tag, flags } = packet;
    // Scripts say what the media itself says, too.
    if (this.#closed || this.#key === '' || (tag !== audioTag && tag !== videoTag)) return;
    const bytes = Flv.createMessage(packet);
    const isConfiguration = flags === (tag === audioTag ? audioConfiguration : videoConfiguration);
    if (isConfiguration) this.#configurations.set(tag, bytes);
    this.emit('data', bytes);
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.emit('close');
  }
}
