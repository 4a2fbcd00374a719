// An encoder as OBS is one: its WebRTC library (libdatachannel), its offer, and H264 and Opus packets made by hand.
import { randomInt } from 'node:crypto';
import datachannel from 'node-datachannel';

const packetIntervalMs = 20;
const soundType = 111;
const pictureType = 96;
/** One-byte header extensions (RFC 8285): the layer's name under the number that the offer gives it. */
const ridExtension = 2;

/** A picture's layer: its name, and its parameter set, of which each tells another size. */
export interface ObsLayer {
  rid: string;
  sps: Buffer;
}

/** Baseline parameter sets of whole macroblocks: 16 × `columns` by 16 × `rows`. */
export function spsOf(columns: number, rows: number): Buffer {
  const golomb = (value: number) => {
    const bits = (value + 1).toString(2);
    return '0'.repeat(bits.length - 1) + bits;
  };
  const flags = '1' + '1' + '0' + '0';
  // Set 0, frame numbers of 4 bits, picture order type 2, one reference, no gaps; then the size, and frames only.
  const bits = `${golomb(0)}${golomb(0)}${golomb(2)}${golomb(1)}0${golomb(columns - 1)}${golomb(rows - 1)}${flags}1`;
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0');
  const bytes = padded.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? [];
  return Buffer.from([0x67, 0x42, 0xe0, 0x1f, ...bytes]);
}

export interface ObsEncoder {
  /** The answer to its offer. */
  readonly status: number;
  readonly location: string;
  state(): string;
  /** Resolves when it is in that state. */
  until(state: string): Promise<void>;
  /** Takes its leave as OBS does; answers the status that it gets. */
  end(): Promise<number>;
  close(): void;
}

/** Lists its layers from the best down, as OBS does. Without layers it sends one picture, named by its number alone. */
export async function startObsEncoder(
  url: string,
  token: string,
  layers: readonly ObsLayer[] = [],
): Promise<ObsEncoder> {
  const peer = new datachannel.PeerConnection('encoder', { iceServers: [] });
  const base = randomInt(1, 2 ** 30);
  const sound = new datachannel.Audio('0', 'SendOnly');
  sound.addOpusCodec(soundType);
  sound.addSSRC(base, 'encoder', 'stream', 'stream-audio');
  const picture = new datachannel.Video('1', 'SendOnly');
  picture.addH264Codec(pictureType);
  if (layers.length === 0) picture.addSSRC(base + 1, 'encoder', 'stream', 'stream-video');
  else {
    for (const line of [
      'extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid',
      `extmap:${ridExtension} urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id`,
      ...layers.map(({ rid }) => `rid:${rid} send`),
      `simulcast:send ${layers.map(({ rid }) => rid).join(';')}`,
    ]) {
      picture.parseSdpLine(`a=${line}`);
    }
  }
  const soundTrack = peer.addTrack(sound);
  const pictureTrack = peer.addTrack(picture);
  const waiting = new Set<() => void>();
  peer.onStateChange(() => {
    for (const look of waiting) look();
  });
  peer.setLocalDescription();
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/sdp' },
    body: peer.localDescription()?.sdp ?? '',
  });
  const answer = await response.text();
  const location = new URL(response.headers.get('location') ?? '', url).href;
  if (response.status === 201) peer.setRemoteDescription(answer, 'answer');

  let sequence = 0;
  const timer = setInterval(() => {
    if (!pictureTrack.isOpen() || !soundTrack.isOpen()) return;
    sequence += 1;
    const opus = Buffer.from([0xfc, 0xff, 0xfe]);
    soundTrack.sendMessageBinary(
      packet({ type: soundType, ssrc: base, sequence, timestamp: sequence * 960, payload: opus }),
    );
    const timestamp = sequence * packetIntervalMs * 90;
    const sent = layers.length === 0 ? [{ rid: null, sps: spsOf(40, 22) }] : layers;
    for (const [place, { rid, sps }] of sent.entries()) {
      // Every picture begins with the parameters, so that whoever comes sees one.
      pictureTrack.sendMessageBinary(
        packet({
          type: pictureType,
          ssrc: base + 1 + place,
          sequence,
          timestamp,
          rid,
          payload: sps,
        }),
      );
    }
  }, packetIntervalMs);

  return {
    status: response.status,
    location,
    state: () => peer.state(),
    until: (state) =>
      new Promise((resolve) => {
        const look = () => {
          if (peer.state() !== state) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async end() {
      clearInterval(timer);
      peer.close();
      return (await fetch(location, { method: 'DELETE', headers })).status;
    },
    close() {
      clearInterval(timer);
      peer.close();
    },
  };
}

function packet(of: {
  type: number;
  ssrc: number;
  sequence: number;
  timestamp: number;
  rid?: string | null;
  payload: Buffer;
}): Buffer {
  const header = Buffer.alloc(12);
  header[0] = of.rid ? 0x90 : 0x80;
  header[1] = 0x80 | of.type;
  header.writeUInt16BE(of.sequence & 0xff_ff, 2);
  header.writeUInt32BE(of.timestamp >>> 0, 4);
  header.writeUInt32BE(of.ssrc, 8);
  if (!of.rid) return Buffer.concat([header, of.payload]);
  const name = Buffer.from(of.rid);
  const extension = Buffer.alloc(4 + Math.ceil((name.length + 1) / 4) * 4);
  extension.writeUInt16BE(0xbe_de, 0);
  extension.writeUInt16BE(extension.length / 4 - 1, 2);
  extension[4] = (ridExtension << 4) | (name.length - 1);
  name.copy(extension, 5);
  return Buffer.concat([header, extension, of.payload]);
}
