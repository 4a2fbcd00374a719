// Limits of the bridge: how long, how much and how often, each with its reason.

/** From the first byte until the stream key; encoders need a few round trips. */
export const keyShownMsMax = 5_000;
/** Connections that have not shown a key, besides those that have; one more ends the oldest of them. */
export const keylessConnectionsMax = 50;
/** One line may hold so many connections at once, most of which are an encoder that comes again. */
export const connectionsPerLineMax = 8;
/** Wrong keys that one line may show in `wrongKeysWindowMs`; after that it is refused unasked. */
export const wrongKeysMax = 10;
export const wrongKeysWindowMs = 60_000;

/** An encoder that sends nothing for so long is gone, though its connection may stand. */
export const senderSilentMsMax = 5_000;
/** Over this time the bit rate is measured: long enough for the burst of a keyframe. */
export const bitrateWindowMs = 5_000;

/** What was sent is understood by then, or it never is. */
export const probeMsMax = 5_000;
/** Pictures after which the order of all others is known: encoders use B-frames from the start. */
export const probePicturesMin = 10;
/** What is kept of the beginning while it is looked at. */
export const backlogBytesMax = 8 * 1024 * 1024;

/** Who comes into the room waits for the next keyframe; rarer ones are made more frequent by encoding anew. */
export const keyframeIntervalMsMax = 4_000;
/** The pace of keyframes where we encode. */
export const encodedKeyframeSeconds = 1;
/** Of one ffmpeg, for each of decoding, filtering and encoding: one encoder must not have the whole machine. */
export const ffmpegThreads = 2;
/** Larger pictures (4096x2160) are not decoded: each takes 1.5 bytes for a pixel, and several are held. */
export const decodedPixelsMax = 4_096 * 2_160;

/** ffmpeg that takes input and tells of no packet for so long is stuck. */
export const stalledMsMax = 1_500;
/** Before its first packet it has to find out what comes. */
export const firstPacketMsMax = 4_000;
export const watchIntervalMs = 250;
/** Input that ffmpeg has not taken; beyond it the sender has to wait. */
export const inputQueueBytesMax = 1024 * 1024;

/** ffmpeg is started again at most so often within `recoveryWindowMs`, and so is a link to a node that was lost. */
export const recoveriesMax = 6;
export const recoveryWindowMs = 60_000;
/** A node that has died is known as dead to the edge after some seconds: until then it names the same one again. */
export const relinkDelayMs = 1_000;
