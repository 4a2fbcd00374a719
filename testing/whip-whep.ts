// WHIP and WHEP clients that are not ours (whip-whep), in a page of any origin.
import { build } from 'esbuild';
import type { Page } from 'playwright';

/** Of pages that are not ours, which the edge must know. */
export const foreignOrigin = 'http://player.test';
/** Such a page may then ask servers on this machine. */
export const foreignPageArgs = ['--disable-features=LocalNetworkAccessChecks'];

/** Leads a window to an empty page of another site. */
export async function openForeignPage(page: Page): Promise<void> {
  await page.route(`${foreignOrigin}/**`, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>player</title>' }),
  );
  await page.goto(`${foreignOrigin}/`);
}

let bundle: Promise<string> | null = null;
function clientsBundle(): Promise<string> {
  bundle ??= build({
    stdin: {
      contents: `export { WHIPClient } from 'whip-whep/whip.js'; export { WHEPClient } from 'whip-whep/whep.js'`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    format: 'iife',
    globalName: 'theirs',
    write: false,
    logLevel: 'silent',
  }).then(({ outputFiles }) => outputFiles[0]?.text ?? '');
  return bundle;
}

interface Endpoint {
  url: string;
  token: string;
}

async function load(page: Page): Promise<void> {
  await page.addScriptTag({ content: await clientsBundle() });
  await page.evaluate(() => {
    window.theirPeer = new RTCPeerConnection();
  });
}

/** Publishes a picture that changes its colour, and a tone. */
export async function publishByWhip(page: Page, endpoint: Endpoint): Promise<void> {
  await load(page);
  await page.evaluate(async ({ url, token }) => {
    const canvas = document.createElement('canvas');
    const pen = canvas.getContext('2d');
    let shade = 0;
    setInterval(() => {
      shade = (shade + 9) % 360;
      if (pen) pen.fillStyle = `hsl(${shade} 80% 50%)`;
      pen?.fillRect(0, 0, canvas.width, canvas.height);
    }, 66);
    const sound = new AudioContext();
    const tone = sound.createMediaStreamDestination();
    const oscillator = sound.createOscillator();
    oscillator.connect(tone);
    oscillator.start();
    const stream = canvas.captureStream(15);
    for (const track of [...tone.stream.getTracks(), ...stream.getTracks()]) {
      window.theirPeer.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
    }
    await new window.theirs.WHIPClient().publish(window.theirPeer, url, token);
  }, endpoint);
}

/** Plays picture and sound. */
export async function playByWhep(page: Page, endpoint: Endpoint): Promise<void> {
  await load(page);
  await page.evaluate(async ({ url, token }) => {
    for (const kind of ['audio', 'video']) {
      window.theirPeer.addTransceiver(kind, { direction: 'recvonly' });
    }
    await new window.theirs.WHEPClient().view(window.theirPeer, url, token);
  }, endpoint);
}

/** Of DTLS: the connection itself stays `connected` when the other side takes its leave. */
export function transportState(page: Page): Promise<RTCDtlsTransportState | undefined> {
  return page.evaluate(() => window.theirPeer.getReceivers()[0]?.transport?.state);
}

/** What has come: frames of the picture that were decoded, packets of sound. */
export function receivedByPeer(page: Page): Promise<{ frames: number; audioPackets: number }> {
  return page.evaluate(async () => {
    const stats: RTCInboundRtpStreamStats[] = [];
    for (const one of (await window.theirPeer.getStats()).values()) {
      if (one.type === 'inbound-rtp') stats.push(one);
    }
    const of = (wanted: string) => stats.find(({ kind }) => kind === wanted);
    return {
      frames: of('video')?.framesDecoded ?? 0,
      audioPackets: of('audio')?.packetsReceived ?? 0,
    };
  });
}

declare global {
  interface Window {
    theirPeer: RTCPeerConnection;
    theirs: {
      WHIPClient: typeof import('whip-whep/whip.js').WHIPClient;
      WHEPClient: typeof import('whip-whep/whep.js').WHEPClient;
    };
  }
}
