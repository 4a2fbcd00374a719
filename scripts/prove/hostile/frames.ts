// Hostile frames: what somebody may send who knows the protocol well and means no good, drawn from a seed.
import { type ClientFrame, frameBytesMax, signallingVersion } from '#contract';
import { h264Parameters, opusParameters } from '../../../testing/sfu-node.ts';
import { anyOf, type Random } from '../random.ts';

/** What an attacker has learned of its socket so far: ids that exist, which get it further than made-up ones. */
export interface Learned {
  transports: string[];
  producers: string[];
  consumers: string[];
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Sample = (random: Random, learned: Learned) => Record<string, unknown>;

const oneOf = <T>(random: Random, values: readonly T[]): T => {
  const value = values[anyOf(random, values.length)];
  if (value === undefined) throw new Error('nothing to choose from');
  return value;
};

const idOf = (random: Random, known: string[]) =>
  known.length > 0 && random() < 0.8 ? oneOf(random, known) : crypto.randomUUID();
const ssrcOf = (random: Random) => anyOf(random, 2 ** 32);
const layerOf = (random: Random) => anyOf(random, 4);
/** What is sent to "discard" reaches nobody who is measured. */
const portOf = (random: Random) => oneOf(random, [9, 9, 9, 1, 65_535, 0, -1, 70_000]);
const addressOf = (random: Random) =>
  oneOf(random, ['127.0.0.1', '0.0.0.0', '::1', '10.1.2.3', '224.0.0.1', 'localhost', '']);

function srtpOf(random: Random) {
  const cryptoSuite = oneOf(random, ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_256_GCM', 'NULL']);
  const keyBase64 = oneOf(random, [
    '',
    'AAAA',
    Buffer.alloc(30, 7).toString('base64'),
    '!'.repeat(400),
  ]);
  return { cryptoSuite, keyBase64 };
}

function rtpOf(random: Random) {
  const layers = Array.from({ length: 1 + anyOf(random, 8) }, () => ssrcOf(random));
  return random() < 0.5 ? opusParameters(ssrcOf(random)) : h264Parameters(layers);
}

const capabilities = (random: Random) => {
  const [codec] = rtpOf(random).codecs;
  return {
    codecs: [
      {
        ...codec,
        kind: oneOf(random, ['audio', 'video']),
        preferredPayloadType: anyOf(random, 128),
      },
    ],
    headerExtensions: [],
  };
};

/** A request of each type that is well formed, if seldom of any sense. */
const samples: Record<ClientFrame['type'], Sample> = {
  join: () => ({ version: signallingVersion, ticket: 'eyJhbGciOiJub25lIn0.e30.' }),
  'transport.create': (random) => ({ direction: oneOf(random, ['send', 'receive']) }),
  'transport.connect': (random, { transports }) => ({
    transportId: idOf(random, transports),
    dtlsParameters: {
      role: oneOf(random, ['client', 'server', 'auto']),
      fingerprints: [
        { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => '0A').join(':') },
      ],
    },
  }),
  'transport.restart-ice': (random, { transports }) => ({ transportId: idOf(random, transports) }),
  'transport.plain': (random) => ({
    kind: oneOf(random, ['audio', 'video']),
    srtpParameters: srtpOf(random),
  }),
  produce: (random, { transports }) => ({
    transportId: idOf(random, transports),
    kind: oneOf(random, ['audio', 'video']),
    source: oneOf(random, ['microphone', 'camera', 'screen', 'screen-audio']),
    rtpParameters: rtpOf(random),
  }),
  'producer.close': (random, { producers }) => ({ producerId: idOf(random, producers) }),
  'producer.sizes': (random, { producers }) => ({
    producerId: idOf(random, producers),
    sizes: Array.from({ length: 1 + anyOf(random, 4) }, () => ({
      width: 1 + anyOf(random, 16_384),
      height: 1 + anyOf(random, 16_384),
    })),
  }),
  consume: (random, { transports }) => ({
    transportId: idOf(random, transports),
    rtpCapabilities: capabilities(random),
  }),
  'consumer.resume': (random, { consumers }) => ({ consumerIds: [idOf(random, consumers)] }),
  'consumer.pause': (random, { consumers }) => ({ consumerIds: [idOf(random, consumers)] }),
  'consumer.layers': (random, { consumers }) => ({
    consumerId: idOf(random, consumers),
    spatialLayer: layerOf(random),
    temporalLayer: layerOf(random),
  }),
  'tap.open': (random) => ({
    address: addressOf(random),
    audioPort: portOf(random),
    videoPorts: Array.from({ length: 1 + anyOf(random, 3) }, () => portOf(random)),
  }),
  'tap.keyframe': () => ({}),
  'pipe.open': (random) => ({
    address: addressOf(random),
    port: portOf(random),
    srtpParameters: srtpOf(random),
  }),
  'pipe.consume': () => ({}),
  'pipe.layers': (random, { producers }) => ({
    producerId: idOf(random, producers),
    spatialLayer: layerOf(random),
  }),
  'quality.report': (random) => ({
    spanMs: anyOf(random, 120_000),
    joinMs: null,
    roundTripMs: anyOf(random, 10_000),
    bytesReceived: anyOf(random, 5_000_000_000),
    packetsReceived: anyOf(random, 10_000_000),
    packetsLost: anyOf(random, 10_000_000),
    freezes: null,
    frozenMs: null,
    pictureHeight: 1 + anyOf(random, 4_320),
    decoder: 'unknown',
  }),
  ping: () => ({}),
};
const types = Object.keys(samples) as ClientFrame['type'][];
/** Fields that the protocol hands on to the media library: what is wrong in them is found late. */
const opaqueFields = ['dtlsParameters', 'srtpParameters', 'rtpParameters', 'rtpCapabilities'];
const opaqueTypes = [
  'transport.connect',
  'transport.plain',
  'produce',
  'consume',
  'pipe.open',
] as const satisfies readonly ClientFrame['type'][];

/** Values that have broken parsers, comparisons and buffers of others. */
const poison: readonly ((random: Random) => Json)[] = [
  () => null,
  () => true,
  () => -1,
  () => 0.1,
  () => Number.MAX_SAFE_INTEGER,
  () => 1e308,
  () => '',
  () => '\u0000\u202e\ud800',
  () => '__proto__',
  () => '../../../../etc/passwd',
  () => "'; select pg_sleep(9); --",
  (random) => 'x'.repeat(anyOf(random, 20_000)),
  () => [],
  () => ({}),
  () => ({ constructor: { prototype: { polluted: true } } }),
  (random) => Array.from({ length: anyOf(random, 2_000) }, () => 0),
  (random) => nested(1 + anyOf(random, 200)),
];

function nested(depth: number): Json {
  let inner: Json = 0;
  for (let level = 0; level < depth; level += 1) inner = level % 2 === 0 ? [inner] : { a: inner };
  return inner;
}

/** A request that the protocol knows, with ids that exist where there are any. */
export function wellFormed(
  random: Random,
  learned: Learned,
  id: number,
  type = oneOf(random, types),
): string {
  return JSON.stringify({ id, type, ...samples[type](random, learned) });
}

/** One that passes the checks of the protocol, with poison deep in what is meant for the media library. */
export function deepPoisoned(random: Random, learned: Learned, id: number): string {
  const text = wellFormed(random, learned, id, oneOf(random, opaqueTypes));
  const frame = JSON.parse(text) as { [key: string]: Json };
  const key = opaqueFields.find((field) => field in frame) ?? 'id';
  const value = frame[key] ?? null;
  // The field itself stays an object.
  const inner = poisonInside(random, value, 0);
  frame[key] = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? inner : {};
  return JSON.stringify(frame);
}

/** One of which a part anywhere inside has been poisoned: its outer shape often holds, its content does not. */
export function poisoned(random: Random, learned: Learned, id: number): string {
  const frame = JSON.parse(wellFormed(random, learned, id)) as { [key: string]: Json };
  const fields = Object.keys(frame).filter((key) => key !== 'id' && key !== 'type');
  const key = fields.length > 0 ? oneOf(random, fields) : 'id';
  frame[key] = poisonInside(random, frame[key] ?? null);
  return JSON.stringify(frame);
}

function poisonInside(random: Random, value: Json, stopsHere = 0.2): Json {
  if (value === null || typeof value !== 'object' || random() < stopsHere) {
    return oneOf(random, poison)(random);
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return oneOf(random, poison)(random);
    const at = anyOf(random, value.length);
    return value.map((item, place) => (place === at ? poisonInside(random, item) : item));
  }
  const keys = Object.keys(value);
  if (keys.length === 0)
    return { ...value, [`k${anyOf(random, 9)}`]: oneOf(random, poison)(random) };
  const key = oneOf(random, keys);
  if (random() < 0.1) {
    const { [key]: _, ...rest } = value;
    return rest;
  }
  return { ...value, [key]: poisonInside(random, value[key] ?? null) };
}

/** No frame of the protocol at all. */
export function malformed(random: Random, learned: Learned, id: number): string | Buffer {
  const text = wellFormed(random, learned, id);
  const kind = anyOf(random, 8);
  if (kind === 0) return text.slice(0, anyOf(random, text.length));
  if (kind === 1) return Buffer.from(text);
  if (kind === 2)
    return Buffer.from(Array.from({ length: anyOf(random, 300) }, () => anyOf(random, 256)));
  if (kind === 3) return 'y'.repeat(frameBytesMax + 1);
  if (kind === 4) return `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
  if (kind === 5) return text.replace('"type":"', '"type":"__proto__');
  if (kind === 6) return JSON.stringify(oneOf(random, poison)(random));
  const at = anyOf(random, text.length);
  return `${text.slice(0, at)}${String.fromCharCode(anyOf(random, 0xffff))}${text.slice(at + 1)}`;
}
