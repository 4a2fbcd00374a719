// The process of bare mediasoup: the least that spreads one broadcast to WebRTC viewers.
import { createServer } from 'node:http';
import { createWorker } from 'mediasoup';
import type { DtlsParameters, RtpCapabilities } from 'mediasoup/types';
import { mediaCodecs } from '../../sfu-cluster/media/codecs.ts';
import { h264Parameters, opusParameters } from '../../sfu-cluster/testing/rtp-source.ts';
import { audioSsrc, videoSsrc } from '../../testing/receivers/plain-source.ts';

const listenInfo = { protocol: 'udp' as const, ip: '127.0.0.1' };
// MEDIASOUP_WORKER_BIN names the worker.
const worker = await createWorker({ logLevel: 'warn' });
const router = await worker.createRouter({ mediaCodecs });
const webRtcServer = await worker.createWebRtcServer({ listenInfos: [listenInfo] });
const plain = await router.createPlainTransport({ listenInfo, comedia: true });
const producers = [
  await plain.produce({ kind: 'audio', rtpParameters: opusParameters(audioSsrc) }),
  await plain.produce({ kind: 'video', rtpParameters: h264Parameters([videoSsrc]) }),
];

interface Wish {
  dtlsParameters: DtlsParameters;
  rtpCapabilities: RtpCapabilities;
}

async function watch({ dtlsParameters, rtpCapabilities }: Wish) {
  const transport = await router.createWebRtcTransport({ webRtcServer });
  await transport.connect({ dtlsParameters });
  const consumers = await Promise.all(
    producers.map(({ id }) => transport.consume({ producerId: id, rtpCapabilities })),
  );
  transport.on('dtlsstatechange', (state) => {
    if (state === 'closed') transport.close();
  });
  const { iceParameters, iceCandidates, dtlsParameters: own } = transport;
  const [audio, video] = consumers.map(({ rtpParameters }) => rtpParameters.encodings?.[0]?.ssrc);
  return { iceParameters, iceCandidates, dtlsParameters: own, ssrcs: { audio, video } };
}

createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const answer = body ? await watch(JSON.parse(body)) : { port: plain.tuple.localPort };
  response.end(JSON.stringify(answer));
}).listen(Number(process.env.PORT), '127.0.0.1');
