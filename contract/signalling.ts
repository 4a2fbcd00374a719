// Signalling: the frames of the room socket. Requests go up, responses and notices come down.
import { z } from 'zod';
import { RoomEvent } from './events.ts';
import { Id } from './ids.ts';
import { qualityFields } from './quality.ts';
import { Capability } from './tickets.ts';

/**
 * A change that one side cannot do without. A new request alone is none: a node that does not know it yet refuses it,
 * and whoever sends it must go on without an answer.
 */
export const signallingVersion = 1;
/** A longer frame closes the socket with `frame-too-large`. */
export const frameBytesMax = 64 * 1024;
/** A socket that has not joined by then is closed. */
export const joinTimeoutSeconds = 5;
/** Requests per second that one socket may send, and how many it may save up. */
export const requestRatePerSecond = 20;
export const requestBurstMax = 60;
/** Send side of a slow socket: beyond this many unsent bytes it is closed and may come back for the rest. */
export const sendBufferBytesMax = 1024 * 1024;

export const SocketErrorCode = z.enum([
  'malformed-frame',
  'frame-too-large',
  'version-unsupported',
  'join-timeout',
  'ticket-invalid',
  'ticket-expired',
  'ticket-used',
  'out-of-order',
  'forbidden',
  'already-published',
  'not-found',
  'unsupported-media',
  'rate-limited',
  'too-slow',
  'stream-ended',
  'replaced',
  'unavailable',
  'internal',
  'revoked',
  /** Nobody more can watch on this node: HLS has room, or another node. */
  'no-room',
  /** As many publish as can. */
  'stage-full',
]);
export type SocketErrorCode = z.infer<typeof SocketErrorCode>;

/** WebSocket close codes (RFC 6455, private range) by error: 4000 + the place in the list. */
export function closeCodeOf(code: SocketErrorCode): number {
  return 4000 + SocketErrorCode.options.indexOf(code);
}

/** The error that a close code of ours stands for, or null for a code that is not ours. */
export function errorOfCloseCode(closeCode: number): SocketErrorCode | null {
  return SocketErrorCode.options[closeCode - 4000] ?? null;
}

/** Objects of the media library that it checks itself; here only their outer shape is held. */
const Opaque = z.looseObject({});

export const MediaKind = z.enum(['audio', 'video']);
export type MediaKind = z.infer<typeof MediaKind>;
/** What a track shows; one producer of each source at a time of everybody on the stage. */
export const MediaSource = z.enum(['microphone', 'camera', 'screen', 'screen-audio']);
export type MediaSource = z.infer<typeof MediaSource>;
export const TransportDirection = z.enum(['send', 'receive']);

/** A picture comes in no more sizes than this. */
export const pictureLayersMax = 4;
/** In pixels. */
export const LayerSize = z.object({
  width: z.int().min(1).max(16_384),
  height: z.int().min(1).max(16_384),
});
export type LayerSize = z.infer<typeof LayerSize>;
/** From the smallest layer up. */
const LayerSizes = z.array(LayerSize).max(pictureLayersMax);

const request = { id: z.int().nonnegative() };

export const ClientFrame = z.discriminatedUnion('type', [
  z.strictObject({
    ...request,
    type: z.literal('join'),
    version: z.int(),
    ticket: z.string().max(4096),
  }),
  z.strictObject({
    ...request,
    type: z.literal('transport.create'),
    direction: TransportDirection,
  }),
  z.strictObject({
    ...request,
    type: z.literal('transport.connect'),
    transportId: z.string().max(64),
    dtlsParameters: Opaque,
  }),
  z.strictObject({
    ...request,
    type: z.literal('transport.restart-ice'),
    transportId: z.string().max(64),
  }),
  /** For publishers without WebRTC: RTP of one track, encrypted with this key (RFC 3711), from whichever address it comes. */
  z.strictObject({
    ...request,
    type: z.literal('transport.plain'),
    kind: MediaKind,
    srtpParameters: Opaque,
  }),
  z.strictObject({
    ...request,
    type: z.literal('produce'),
    transportId: z.string().max(64),
    kind: MediaKind,
    source: MediaSource,
    rtpParameters: Opaque,
  }),
  z.strictObject({
    ...request,
    type: z.literal('producer.close'),
    producerId: z.string().max(64),
  }),
  /** How large the layers of a picture are, told again whenever that changes. */
  z.strictObject({
    ...request,
    type: z.literal('producer.sizes'),
    producerId: z.string().max(64),
    sizes: LayerSizes.min(1),
  }),
  /** Asks for every producer of the room at once, so that joining costs one round trip. */
  z.strictObject({
    ...request,
    type: z.literal('consume'),
    transportId: z.string().max(64),
    rtpCapabilities: Opaque,
  }),
  z.strictObject({
    ...request,
    type: z.literal('consumer.resume'),
    consumerIds: z.array(z.string().max(64)).min(1).max(16),
  }),
  /** Stops what flows until it is resumed: for a picture that nobody looks at. */
  z.strictObject({
    ...request,
    type: z.literal('consumer.pause'),
    consumerIds: z.array(z.string().max(64)).min(1).max(16),
  }),
  z.strictObject({
    ...request,
    type: z.literal('consumer.layers'),
    consumerId: z.string().max(64),
    spatialLayer: z.int().min(0).max(3),
    temporalLayer: z.int().min(0).max(3),
  }),
  /** Transcoder only: RTP of the audio and of each video layer to these UDP ports of the sender. */
  z.strictObject({
    ...request,
    type: z.literal('tap.open'),
    address: z.string().max(64),
    audioPort: z.int().min(1).max(65535),
    videoPorts: z.array(z.int().min(1).max(65535)).min(1).max(3),
  }),
  /** Transcoder only: asks the publisher for a keyframe on all layers. */
  z.strictObject({ ...request, type: z.literal('tap.keyframe') }),
  /** Another node only: a pipe that brings the room's tracks to this address of the sender. */
  z.strictObject({
    ...request,
    type: z.literal('pipe.open'),
    address: z.string().max(64),
    port: z.int().min(1).max(65535),
    srtpParameters: Opaque,
  }),
  /** Another node only: every track of the room that does not flow through its pipe yet. */
  z.strictObject({ ...request, type: z.literal('pipe.consume') }),
  /** Another node only: up to which layer its own viewers want a picture. */
  z.strictObject({
    ...request,
    type: z.literal('pipe.layers'),
    producerId: z.string().max(64),
    spatialLayer: z.int().min(0).max(3),
  }),
  /** Viewers only: how well the picture came. */
  z.strictObject({ ...request, type: z.literal('quality.report'), ...qualityFields }),
  z.strictObject({ ...request, type: z.literal('ping') }),
]);
export type ClientFrame = z.infer<typeof ClientFrame>;
export type ClientFrameOf<T extends ClientFrame['type']> = Extract<ClientFrame, { type: T }>;

export const JoinedData = z.object({
  peerId: Id,
  nodeId: z.string(),
  streamId: Id,
  capabilities: z.array(Capability),
  routerRtpCapabilities: Opaque,
  publishing: z.boolean(),
  viewers: z.int().nonnegative(),
});

export const TransportData = z.object({
  transportId: z.string(),
  iceParameters: Opaque,
  iceCandidates: z.array(Opaque),
  dtlsParameters: Opaque,
});

/** Who publishes a track: the host of the room, or somebody whom they have invited. */
export const TrackOwner = z.object({ id: z.string(), name: z.string(), isHost: z.boolean() });
export type TrackOwner = z.infer<typeof TrackOwner>;

/** A guest on the stage: which of their sources can be consumed now, and which of these are kept from everybody. */
export const GuestOnStage = TrackOwner.pick({ id: true, name: true }).extend({
  sources: z.array(MediaSource),
  held: z.array(MediaSource),
});
export type GuestOnStage = z.infer<typeof GuestOnStage>;

/** Where the node takes RTP and its sender reports. */
export const PlainTransportData = z.object({
  transportId: z.string(),
  address: z.union([z.ipv4(), z.ipv6()]),
  port: z.int().min(1).max(65535),
  rtcpPort: z.int().min(1).max(65535),
});
export type PlainTransportData = z.infer<typeof PlainTransportData>;

export const ConsumerData = z.object({
  consumerId: z.string(),
  producerId: z.string(),
  kind: MediaKind,
  source: MediaSource,
  owner: TrackOwner,
  rtpParameters: Opaque,
  /** Empty for sound, and while the publisher has not told them. */
  sizes: LayerSizes.default([]),
});
export type ConsumerData = z.infer<typeof ConsumerData>;

/** One RTP stream of a tap. `spatialLayer` counts from the smallest picture; null for audio. */
export const TapTrack = z.object({
  kind: MediaKind,
  source: MediaSource,
  port: z.int(),
  spatialLayer: z.int().nullable(),
  payloadType: z.int(),
  ssrc: z.int(),
  clockRate: z.int(),
  channels: z.int(),
  mimeType: z.string(),
  /** Format parameters of the codec, for H264 with `profile-level-id`. */
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
});
export type TapTrack = z.infer<typeof TapTrack>;

/** What each request is answered with when it succeeds. */
export const responseData = {
  join: JoinedData,
  'transport.create': TransportData,
  'transport.connect': z.object({}),
  'transport.restart-ice': z.object({ iceParameters: Opaque }),
  'transport.plain': PlainTransportData,
  produce: z.object({ producerId: z.string() }),
  'producer.close': z.object({}),
  'producer.sizes': z.object({}),
  consume: z.object({ consumers: z.array(ConsumerData) }),
  'consumer.resume': z.object({}),
  'consumer.pause': z.object({}),
  'consumer.layers': z.object({}),
  'tap.open': z.object({ tracks: z.array(TapTrack) }),
  'tap.keyframe': z.object({}),
  'pipe.open': z.object({
    address: z.string(),
    port: z.int().min(1).max(65535),
    srtpParameters: Opaque,
  }),
  'pipe.consume': z.object({ consumers: z.array(ConsumerData) }),
  'pipe.layers': z.object({}),
  'quality.report': z.object({}),
  ping: z.object({}),
} as const satisfies Record<ClientFrame['type'], z.ZodType>;
export type ResponseData<T extends ClientFrame['type']> = z.infer<(typeof responseData)[T]>;

export const ServerFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('response'), id: z.int(), data: z.unknown() }),
  /** `id` names the request that failed; null when no request can be blamed. */
  z.object({
    type: z.literal('error'),
    id: z.int().nullable(),
    code: SocketErrorCode,
    detail: z.string(),
  }),
  /** A stored event of the room. May come twice; ids tell. */
  z.object({ type: z.literal('room.event'), event: RoomEvent }),
  /** Events may have been missed (a broken link behind the hub): fetch what came after the last one. */
  z.object({ type: z.literal('room.resync') }),
  /** This node is about to end: join elsewhere with a new ticket, while it still serves this socket. */
  z.object({ type: z.literal('room.move') }),
  z.object({ type: z.literal('room.viewers'), viewers: z.int().nonnegative() }),
  /** The same of the host, and of all guests; sent again whenever any of it changes. */
  z.object({
    type: z.literal('room.media'),
    sources: z.array(MediaSource),
    held: z.array(MediaSource),
    guests: z.array(GuestOnStage),
  }),
  /** To the host and to whom it concerns: somebody was invited, has answered, or is off the stage. Ask who is on it. */
  z.object({ type: z.literal('room.stage') }),
  /** To whom it belongs: from now on the node keeps a track from everybody, or does not any more. */
  z.object({ type: z.literal('producer.held'), producerId: z.string(), isHeld: z.boolean() }),
  /** Up to which layer a picture is wanted from now on, counted from the smallest: no more need be sent. */
  z.object({
    type: z.literal('producer.layers'),
    producerId: z.string(),
    spatialLayer: z.int().min(0),
  }),
  /** The layers of a picture are of these sizes from now on. */
  z.object({ type: z.literal('producer.sizes'), producerId: z.string(), sizes: LayerSizes }),
  z.object({ type: z.literal('producer.closed'), producerId: z.string() }),
  z.object({ type: z.literal('consumer.closed'), consumerId: z.string() }),
]);
export type ServerFrame = z.infer<typeof ServerFrame>;
export type RoomMediaNotice = Extract<ServerFrame, { type: 'room.media' }>;
