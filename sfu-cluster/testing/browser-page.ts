// A page in a real browser that publishes by WHIP, plays by WHEP, as their documents say, and watches over a room socket.
import { build } from 'esbuild';
import type { Browser } from 'playwright';
import { signallingVersion } from '#contract';
import { startBrowser } from '../../testing/browser.ts';
import { testOrigin } from './test-node.ts';

export interface HttpAnswer {
  status: number;
  location: string | null;
  etag: string | null;
  acceptPatch: string | null;
  link: string | null;
  body: string;
}

export interface PublishWish {
  url: string;
  token: string;
  codec?: 'VP8' | 'H264';
  /** The layers' names in the order in which the offer lists them, each with how much smaller it is. */
  layers?: { rid: string; scale: number }[];
  sound?: boolean;
  picture?: boolean;
}

export interface PlayWish {
  url: string;
  token: string;
  sound?: boolean;
  picture?: boolean;
}

export interface Seen {
  state: string;
  framesDecoded: number;
  frameWidth: number;
  audioPackets: number;
  codec: string;
}

export type BrowserPage = Awaited<ReturnType<typeof openPage>>;

let bundle: Promise<string> | null = null;
/** What watches over a room socket in the product, for a page to load. */
function roomClientBundle(): Promise<string> {
  bundle ??= build({
    stdin: {
      contents: `export { Device } from 'mediasoup-client'`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    format: 'iife',
    globalName: 'roomClient',
    write: false,
    logLevel: 'silent',
  }).then(({ outputFiles }) => outputFiles[0]?.text ?? '');
  return bundle;
}

/** Its pages may ask nodes on this machine, whatever the page's own address. */
export function startPageBrowser(): Promise<Browser> {
  return startBrowser([
    '--disable-features=LocalNetworkAccessChecks',
    '--disable-renderer-backgrounding',
    '--disable-background-timer-throttling',
    '--disable-backgrounding-occluded-windows',
  ]);
}

/** Pages of one context share its permissions; each has its own connection. */
export async function openPage(browser: Browser, origin = testOrigin) {
  const page = await browser.newPage();
  await page.route(`${origin}/**`, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>page</title>' }),
  );
  await page.goto(`${origin}/`);
  await page.evaluate(installHttpMedia);
  return {
    page,
    publish: (wish: PublishWish): Promise<HttpAnswer> =>
      page.evaluate((given) => window.httpMedia.publish(given), wish),
    play: (wish: PlayWish): Promise<HttpAnswer> =>
      page.evaluate((given) => window.httpMedia.play(given), wish),
    /** Candidates that were found since the offer, in one request. */
    trickle: (): Promise<HttpAnswer> => page.evaluate(() => window.httpMedia.trickle()),
    restartIce: (): Promise<HttpAnswer> => page.evaluate(() => window.httpMedia.restartIce()),
    end: (): Promise<HttpAnswer> => page.evaluate(() => window.httpMedia.end()),
    seen: (): Promise<Seen> => page.evaluate(() => window.httpMedia.seen()),
    state: (): Promise<string> => page.evaluate(() => window.httpMedia.state()),
    framesSent: (): Promise<number> => page.evaluate(() => window.httpMedia.framesSent()),
    localName: (): Promise<string> => page.evaluate(() => window.httpMedia.localName()),
    async watch(wish: { url: string; ticket: string; spatialLayer?: number }): Promise<void> {
      await page.addScriptTag({ content: await roomClientBundle() });
      await page.evaluate(watchRoom, { ...wish, version: signallingVersion });
    },
    close: () => page.close(),
  };
}

interface HttpMedia {
  publish(wish: PublishWish): Promise<HttpAnswer>;
  play(wish: PlayWish): Promise<HttpAnswer>;
  trickle(): Promise<HttpAnswer>;
  restartIce(): Promise<HttpAnswer>;
  end(): Promise<HttpAnswer>;
  seen(): Promise<Seen>;
  state(): string;
  framesSent(): Promise<number>;
  localName(): string;
  watchStats: (() => Promise<RTCStatsReport>) | null;
}

declare global {
  interface Window {
    httpMedia: HttpMedia;
    roomClient: { Device: typeof import('mediasoup-client').Device };
  }
}

/** Runs in the page. */
function installHttpMedia(): void {
  let peer = new RTCPeerConnection();
  let address = '';
  let etag = '';
  let bearer = '';
  let answer = '';
  let found: RTCIceCandidate[] = [];

  const nameIn = (sdp: string) => /a=ice-ufrag:(\S+)/.exec(sdp)?.[1] ?? '';
  const secretIn = (sdp: string) => /a=ice-pwd:(\S+)/.exec(sdp)?.[1] ?? '';
  const localSdp = () => peer.localDescription?.sdp ?? '';

  async function send(method: string, url: string, headers: Record<string, string>, body?: string) {
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${bearer}`, ...headers },
      ...(body === undefined ? {} : { body }),
    });
    return {
      status: response.status,
      location: response.headers.get('location'),
      etag: response.headers.get('etag'),
      acceptPatch: response.headers.get('accept-patch'),
      link: response.headers.get('link'),
      body: await response.text(),
    };
  }

  async function offerTo(url: string, token: string) {
    bearer = token;
    found = [];
    peer.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate) found.push(candidate);
    };
    await peer.setLocalDescription();
    const created = await send('POST', url, { 'content-type': 'application/sdp' }, localSdp());
    if (created.status !== 201) return created;
    address = new URL(created.location ?? '', url).href;
    etag = created.etag ?? '';
    answer = created.body;
    await peer.setRemoteDescription({ type: 'answer', sdp: answer });
    return created;
  }

  function soundTrack(): MediaStreamTrack {
    const context = new AudioContext();
    const tone = context.createOscillator();
    const out = context.createMediaStreamDestination();
    tone.connect(out);
    tone.start();
    const [track] = out.stream.getAudioTracks();
    if (!track) throw new Error('no sound');
    return track;
  }

  function pictureTrack(): MediaStreamTrack {
    const canvas = document.createElement('canvas');
    // Browsers send three layers of this size and up.
    [canvas.width, canvas.height] = [960, 540];
    const pen = canvas.getContext('2d');
    let at = 0;
    setInterval(() => {
      if (!pen) return;
      at = (at + 7) % 900;
      pen.fillStyle = '#124';
      pen.fillRect(0, 0, 960, 540);
      pen.fillStyle = '#fb0';
      pen.fillRect(at, at % 480, 60, 60);
    }, 66);
    const [track] = canvas.captureStream(15).getVideoTracks();
    if (!track) throw new Error('no picture');
    return track;
  }

  function only(codec: string): RTCRtpCodec[] {
    const { codecs } = RTCRtpSender.getCapabilities('video') ?? { codecs: [] };
    return codecs.filter(
      ({ mimeType, sdpFmtpLine = '' }) =>
        mimeType === 'video/rtx' ||
        (mimeType === `video/${codec}` &&
          (codec !== 'H264' || /packetization-mode=1.*42e01f/.test(sdpFmtpLine))),
    );
  }

  window.httpMedia = {
    watchStats: null,
    async publish({ url, token, codec = 'H264', layers = [], sound = true, picture = true }) {
      const stream = new MediaStream();
      const common: RTCRtpTransceiverInit = { direction: 'sendonly', streams: [stream] };
      if (sound) peer.addTransceiver(soundTrack(), common);
      if (picture) {
        const transceiver = peer.addTransceiver(pictureTrack(), {
          ...common,
          ...(layers.length === 0
            ? {}
            : {
                sendEncodings: layers.map(({ rid, scale }) => ({
                  rid,
                  scaleResolutionDownBy: scale,
                  maxBitrate: Math.round(400_000 / scale),
                })),
              }),
        });
        transceiver.setCodecPreferences(only(codec));
        // A machine that is short of time leaves frames out, and does not shrink the picture.
        const { sender } = transceiver;
        await sender.setParameters({
          ...sender.getParameters(),
          degradationPreference: 'maintain-resolution',
        });
      }
      return offerTo(url, token);
    },
    async play({ url, token, sound = true, picture = true }) {
      if (sound) peer.addTransceiver('audio', { direction: 'recvonly' });
      if (picture) peer.addTransceiver('video', { direction: 'recvonly' });
      peer.ontrack = ({ track }) => {
        const element = document.createElement('video');
        element.muted = true;
        element.srcObject = new MediaStream([track]);
        document.body.append(element);
        element.play().catch(() => undefined);
      };
      return offerTo(url, token);
    },
    async trickle() {
      if (peer.iceGatheringState !== 'complete') {
        await new Promise<void>((resolve) => {
          peer.addEventListener('icegatheringstatechange', () => {
            if (peer.iceGatheringState === 'complete') resolve();
          });
        });
      }
      const lines = [
        'a=group:BUNDLE 0 1',
        'm=audio 9 UDP/TLS/RTP/SAVPF 111',
        'a=mid:0',
        `a=ice-ufrag:${nameIn(localSdp())}`,
        `a=ice-pwd:${secretIn(localSdp())}`,
        ...found.map(({ candidate }) => `a=${candidate}`),
        'a=end-of-candidates',
      ];
      const type = { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': etag };
      return send('PATCH', address, type, `${lines.join('\r\n')}\r\n`);
    },
    async restartIce() {
      await peer.setLocalDescription(await peer.createOffer({ iceRestart: true }));
      const lines = [
        `a=ice-ufrag:${nameIn(localSdp())}`,
        `a=ice-pwd:${secretIn(localSdp())}`,
        'a=end-of-candidates',
      ];
      const type = { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': '"*"' };
      const restarted = await send('PATCH', address, type, `${lines.join('\r\n')}\r\n`);
      if (restarted.status !== 200) return restarted;
      etag = restarted.etag ?? '';
      answer = answer
        .replaceAll(/a=ice-ufrag:\S+/g, `a=ice-ufrag:${nameIn(restarted.body)}`)
        .replaceAll(/a=ice-pwd:\S+/g, `a=ice-pwd:${secretIn(restarted.body)}`);
      await peer.setRemoteDescription({ type: 'answer', sdp: answer });
      return restarted;
    },
    async end() {
      const ended = await send('DELETE', address, {});
      peer.close();
      peer = new RTCPeerConnection();
      return ended;
    },
    async seen() {
      const report = await (window.httpMedia.watchStats?.() ?? peer.getStats());
      const all = [...report.values()];
      const inbound = all.filter(({ type }) => type === 'inbound-rtp');
      // Beside the picture there may be a section for padding.
      const [video] = inbound
        .filter(({ kind }) => kind === 'video')
        .toSorted((a, b) => (b.framesDecoded ?? 0) - (a.framesDecoded ?? 0));
      return {
        state: peer.connectionState,
        framesDecoded: video?.framesDecoded ?? 0,
        frameWidth: video?.frameWidth ?? 0,
        audioPackets: inbound.find(({ kind }) => kind === 'audio')?.packetsReceived ?? 0,
        codec: all.find(({ id }) => id === video?.codecId)?.mimeType ?? '',
      };
    },
    state() {
      // Of a connection that its other side has closed the browser itself says so only when ICE is silent.
      const [transceiver] = peer.getTransceivers();
      const transport = transceiver?.receiver.transport ?? transceiver?.sender.transport;
      return transport?.state === 'closed' ? 'closed' : peer.connectionState;
    },
    async framesSent() {
      const sent = [...(await peer.getStats()).values()].filter(
        ({ type, kind }) => type === 'outbound-rtp' && kind === 'video',
      );
      return Math.max(0, ...sent.map(({ framesSent = 0 }) => framesSent));
    },
    localName: () => nameIn(localSdp()),
  };
}

/** Runs in the page: joins a room, and plays what it shows as the product does. */
async function watchRoom({
  url,
  ticket,
  version,
  spatialLayer,
}: {
  url: string;
  ticket: string;
  version: number;
  spatialLayer?: number;
}): Promise<void> {
  const socket = new WebSocket(url);
  // biome-ignore lint/suspicious/noExplicitAny: frames are whatever the node sends; the test looks at what is played
  type Data = any;
  const waiting = new Map<number, { resolve(data: Data): void; reject(error: Error): void }>();
  let nextId = 0;
  let asked: Promise<void> = Promise.resolve();
  let consume: () => Promise<void> = async () => undefined;
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.type === 'response') waiting.get(frame.id)?.resolve(frame.data);
    if (frame.type === 'error') waiting.get(frame.id)?.reject(new Error(frame.code));
    if (frame.type === 'room.media') asked = asked.then(() => consume());
  };
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  const request = (type: string, body: object) =>
    new Promise<Data>((resolve, reject) => {
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ id, type, ...body }));
    });
  const joined = await request('join', { version, ticket });
  const device = new window.roomClient.Device({ handlerName: 'Chrome111' });
  await device.load({ routerRtpCapabilities: joined.routerRtpCapabilities });
  const made = await request('transport.create', { direction: 'receive' });
  const transport = device.createRecvTransport({ ...made, id: made.transportId });
  transport.on('connect', ({ dtlsParameters }, done, failed) => {
    request('transport.connect', { transportId: transport.id, dtlsParameters }).then(done, failed);
  });
  window.httpMedia.watchStats = () => transport.getStats();
  consume = async () => {
    const { consumers } = await request('consume', {
      transportId: transport.id,
      rtpCapabilities: device.recvRtpCapabilities,
    }).catch(() => ({ consumers: [] }));
    for (const { consumerId: id, producerId, kind, rtpParameters } of consumers) {
      const consumer = await transport.consume({ id, producerId, kind, rtpParameters });
      const element = document.createElement('video');
      element.muted = true;
      element.srcObject = new MediaStream([consumer.track]);
      document.body.append(element);
      element.play().catch(() => undefined);
      await request('consumer.resume', { consumerIds: [id] });
      if (kind === 'video' && spatialLayer !== undefined) {
        await request('consumer.layers', { consumerId: id, spatialLayer, temporalLayer: 2 });
      }
    }
  };
  asked = asked.then(() => consume());
  await asked;
}
