// A burst: a media worker is given many packets at once for several receivers behind one socket, and what arrives.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createWorker } from 'mediasoup';
import type { Producer, Router, WebRtcServer } from 'mediasoup/types';
import {
  dtlsParametersOf,
  receiverRtpCapabilities,
  serverSideOf,
} from '../../testing/receivers/mediasoup-side.ts';
import { type Counts, Receivers } from '../../testing/receivers/receivers.ts';
import { mediaCodecs } from '../media/codecs.ts';
import { h264Parameters } from './rtp-source.ts';
import { mediaWorkerBin } from './worker-bin.ts';

const address = '127.0.0.1';
const sourceSsrc = 1_000;
const nalParameterSet = 0x67;
const nalSlice = 0x41;
/** Runs of equal packets, then a smaller or a larger one: all that a batch tells apart. */
const payloadSizes = [1_100, 1_100, 1_100, 300, 300, 1_100, 40];
const arrivalTimeoutMs = 10_000;

export interface Burst {
  receivers: number;
  packets: number;
  /** Of the socket that they leave by; the system's when it does not say. */
  sendBufferBytes?: number;
}

export interface Arrivals {
  /** For each receiver, the sequence numbers in the order in which they came, from nought. */
  sequences: number[][];
  /** What the receivers say, who check and decrypt each packet. */
  counts: Counts;
}

/** Stands between a receiver and the worker, and notes which packets of media come in which order. */
interface Wire {
  socket: Socket;
  port: number;
  sequences: number[];
}

async function openWire(workerPort: number): Promise<Wire> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 2 ** 20 });
  const sequences: number[] = [];
  let receiver: RemoteInfo | null = null;
  socket.on('message', (message, from) => {
    if (from.port !== workerPort) {
      receiver = from;
      socket.send(message, workerPort, address);
      return;
    }
    // RFC 7983: media begins with 128 to 191; its payload type tells RTP from RTCP. SRTP leaves the header readable.
    const isMedia = Number(message[0]) >= 128 && Number(message[0]) <= 191;
    const isRtcp = Number(message[1]) >= 192 && Number(message[1]) <= 223;
    if (isMedia && !isRtcp) sequences.push(message.readUInt16BE(2));
    if (receiver) socket.send(message, receiver.port, address);
  });
  socket.bind(0, address);
  await once(socket, 'listening');
  return { socket, port: socket.address().port, sequences };
}

function packet(index: number): Buffer {
  const size = payloadSizes[index % payloadSizes.length] ?? 0;
  const bytes = Buffer.alloc(12 + size, 0xa5);
  bytes[0] = 0x80;
  bytes[1] = 109;
  bytes.writeUInt16BE(index, 2);
  bytes.writeUInt32BE(90_000, 4);
  bytes.writeUInt32BE(sourceSsrc, 8);
  bytes[12] = index === 0 ? nalParameterSet : nalSlice;
  return bytes;
}

/** Lets one more watch, over a wire of its own. */
async function join(
  { router, webRtcServer, producer }: Stage,
  receivers: Receivers,
): Promise<{ wire: Wire; firstPacket: () => Promise<number> }> {
  const transport = await router.createWebRtcTransport({ webRtcServer });
  await transport.connect({ dtlsParameters: dtlsParametersOf(receivers) });
  const server = serverSideOf(transport);
  const wire = await openWire(server.port);
  const receiver = receivers.add({ ...server, port: wire.port });
  const rtpCapabilities = receiverRtpCapabilities;
  const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities });
  await receiver.connected();
  const ssrc = consumer.rtpParameters.encodings?.[0]?.ssrc ?? 0;
  return { wire, firstPacket: () => receiver.firstPacket(ssrc) };
}

interface Stage {
  router: Router;
  webRtcServer: WebRtcServer;
  producer: Producer;
}

export async function sendBurst({ receivers, packets, sendBufferBytes }: Burst): Promise<Arrivals> {
  const workerBin = mediaWorkerBin();
  const worker = await createWorker({ logLevel: 'none', ...(workerBin ? { workerBin } : {}) });
  const audience = await Receivers.start('AEAD_AES_128_GCM');
  const wires: Wire[] = [];
  try {
    const router = await worker.createRouter({ mediaCodecs });
    const webRtcServer = await worker.createWebRtcServer({
      listenInfos: [
        {
          protocol: 'udp',
          ip: address,
          ...(sendBufferBytes === undefined ? {} : { sendBufferSize: sendBufferBytes }),
        },
      ],
    });
    const source = await router.createDirectTransport();
    const rtpParameters = h264Parameters([sourceSsrc]);
    const producer = await source.produce({ kind: 'video', rtpParameters });
    const stage = { router, webRtcServer, producer };
    const seats = [];
    for (let index = 0; index < receivers; index += 1) seats.push(await join(stage, audience));
    wires.push(...seats.map(({ wire }) => wire));
    producer.send(packet(0));
    await Promise.all(seats.map(({ firstPacket }) => firstPacket()));

    // The worker finds all of them when it goes on, and sends them within one turn of its event loop.
    process.kill(worker.pid, 'SIGSTOP');
    for (let index = 1; index < packets; index += 1) producer.send(packet(index));
    process.kill(worker.pid, 'SIGCONT');

    const deadline = performance.now() + arrivalTimeoutMs;
    const wanted = receivers * packets;
    let counts = await audience.count();
    while (counts.packets < wanted && performance.now() < deadline) counts = await audience.count();
    const sequences = wires.map(({ sequences: [first = 0, ...others] }) =>
      [first, ...others].map((sequence) => (sequence - first) & 0xffff),
    );
    return { sequences, counts };
  } finally {
    await audience.close();
    for (const { socket } of wires) socket.close();
    worker.close();
  }
}
