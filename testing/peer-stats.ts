// What the WebRTC connections of a page send and receive, by the browser's own statistics.
import type { Page } from 'playwright';

/** From the next navigation on the page's connections can be looked at. */
export async function watchPeers(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const peers: RTCPeerConnection[] = [];
    Reflect.set(window, 'peersWatched', peers);
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        peers.push(this);
      }
    };
  });
}

export interface ReceivedNow {
  videoBytes: number;
  audioBytes: number;
  /** What the node sends to measure the line: no part of any picture. */
  probeBytes: number;
  /** Of the picture that was decoded last. */
  frameHeight: number;
  framesDecoded: number;
}

/** Sums over the connections that are open. */
export async function receivedBy(page: Page): Promise<ReceivedNow> {
  return page.evaluate(async () => {
    const peers = Reflect.get(window, 'peersWatched') as RTCPeerConnection[];
    const open = peers.filter(({ connectionState }) => connectionState !== 'closed');
    const reports = await Promise.all(open.map((peer) => peer.getStats()));
    const inbound = reports
      .flatMap((report) => [...report.values()])
      .filter(({ type }) => type === 'inbound-rtp');
    const isProbe = ({ mid }: { mid?: string }) => mid === 'probator';
    const of = (kind: string) => inbound.filter((one) => one.kind === kind && !isProbe(one));
    const sum = (list: Record<string, number>[], field: string) =>
      list.reduce((total, one) => total + (one[field] ?? 0), 0);
    return {
      videoBytes: sum(of('video'), 'bytesReceived'),
      audioBytes: sum(of('audio'), 'bytesReceived'),
      probeBytes: sum(inbound.filter(isProbe), 'bytesReceived'),
      frameHeight: Math.max(0, ...of('video').map(({ frameHeight = 0 }) => frameHeight)),
      framesDecoded: sum(of('video'), 'framesDecoded'),
    };
  });
}

/** By the height of its picture: how many frames of each layer a page has encoded. */
export async function framesEncodedBy(page: Page): Promise<Record<number, number>> {
  return page.evaluate(async () => {
    const peers = Reflect.get(window, 'peersWatched') as RTCPeerConnection[];
    const reports = await Promise.all(peers.map((peer) => peer.getStats()));
    const outbound = reports
      .flatMap((report) => [...report.values()])
      .filter(({ type, kind, frameHeight }) => {
        return type === 'outbound-rtp' && kind === 'video' && frameHeight > 0;
      });
    return Object.fromEntries(
      outbound.map(({ frameHeight, framesEncoded }) => [frameHeight, framesEncoded]),
    );
  });
}
