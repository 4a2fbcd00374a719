// RTMP as node-media-server speaks it, within bounds, and with a publish that somebody else decides about.
import logger from 'node-media-server/src/core/logger.js';
import Rtmp from 'node-media-server/src/protocol/rtmp.js';

/** Of the version, and two packets of a client. */
export const handshakeBytes = 1 + 2 * 1_536;
/** A keyframe of any picture that we take is smaller. */
const mediaBytesMax = 4 * 1024 * 1024;
/** Commands are small; what is nested in them is read by recursion. */
export const commandBytesMax = 16 * 1024;
/** Encoders use four or five. */
const chunkStreamsMax = 16;

// It writes to stdout what strangers send: nobody should fill a log that way, nor find a key in it.
logger.log = () => undefined;

const messageTypes: ReadonlySet<number> = new Set([8, 9]);

export class BoundedRtmp extends Rtmp {
  #granted = false;

  /** Whether it may publish. */
  get granted(): boolean {
    return this.#granted;
  }

  /** Called before memory is taken for a message whose header is known. */
  override packetAlloc(): void {
    const { length, type } = this.parserPacket.header;
    const mayBeLong = this.#granted && messageTypes.has(type);
    if (length > (mayBeLong ? mediaBytesMax : commandBytesMax)) {
      throw new Error('a message is too long');
    }
    if (this.inPackets.size > chunkStreamsMax) throw new Error('too many chunk streams');
    super.packetAlloc();
  }

  override controlHandler(): void {
    super.controlHandler();
    if (this.inChunkSize < 1 || this.inChunkSize > mediaBytesMax) {
      throw new Error('a chunk size that nobody uses');
    }
  }

  /** The library would say yes at once: `grant` and `deny` answer when the edge has. */
  override respondPublish(): void {}

  grant(): void {
    this.#granted = true;
    this.sendStatusMessage(this.streamId, 'status', 'NetStream.Publish.Start', 'published');
  }

  deny(): void {
    const code = 'NetStream.Publish.BadName';
    this.sendStatusMessage(this.streamId, 'error', code, 'this stream is not taken');
  }
}
