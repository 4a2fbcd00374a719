// Coded pictures: what a depacketiser makes of RTP payloads.

/** A larger picture is thrown away: no real camera sends one. */
export const pictureBytesMax = 4 * 1024 * 1024;
/** Nor one in so many pieces, each of which costs more memory than its bytes. */
export const piecesMax = 8_192;

export interface CodedPicture {
  /** The picture's bytes, in pieces that are views into what came from the network. */
  chunks: Buffer[];
  bytes: number;
  key: boolean;
  /** RTP timestamp as it came (32 bits). */
  timestamp: number;
}

/** A picture that is encoded anew. */
export interface ForeignPicture extends CodedPicture {
  /** Picture size; only keyframes tell it. */
  size: { width: number; height: number } | null;
}

export interface Depacketiser {
  /** Takes payloads in order; `lost` tells how many packets are missing before this one. */
  push(packet: { payload: Buffer; marker: boolean; timestamp: number }, lost: number): void;
}

export interface DepacketiserEvents<T extends CodedPicture> {
  onPicture(picture: T): void;
  /** Something is missing: nothing more comes until the next keyframe. */
  onLoss(): void;
}
