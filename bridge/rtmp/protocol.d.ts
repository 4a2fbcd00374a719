// What we use of node-media-server: its RTMP protocol and FLV tags, without its server.
declare module 'node-media-server/src/protocol/rtmp.js' {
  import type { AvPacket } from 'node-media-server/src/protocol/flv.js';

  interface PublishRequest {
    app: unknown;
    name: string;
  }

  export default class Rtmp {
    parserPacket: { header: { length: number; type: number } };
    inPackets: Map<number, unknown>;
    inChunkSize: number;
    streamId: number;
    onConnectCallback: (request: PublishRequest) => void;
    onPlayCallback: () => void;
    onPushCallback: () => void;
    onPacketCallback: (packet: AvPacket) => void;
    onOutputCallback: (bytes: Buffer) => void;
    /** Throws what its parts throw on malformed input. */
    parserData(bytes: Buffer): string | null;
    packetAlloc(): void;
    controlHandler(): void;
    respondPublish(): void;
    sendStatusMessage(streamId: number, level: string, code: string, description: string): void;
  }
}

declare module 'node-media-server/src/protocol/flv.js' {
  export interface AvPacket {
    codec_type: number;
    /** 0 and 2: the configuration of the sound's and of the picture's decoder. */
    flags: number;
    dts: number;
    size: number;
    /** Used again for the next message: to be copied. */
    data: Buffer;
  }

  const Flv: {
    createHeader(hasAudio: boolean, hasVideo: boolean): Buffer;
    createMessage(packet: AvPacket): Buffer;
  };
  export default Flv;
}

declare module 'node-media-server/src/core/logger.js' {
  const logger: { log(message: string, level?: string): void };
  export default logger;
}
