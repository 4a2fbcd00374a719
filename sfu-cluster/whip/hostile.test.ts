// Tests of WHIP and WHEP under hostile descriptions: whatever is sent, it is taken or refused, soon, and the node stays up.
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { iceFragmentMediaType, sdpBytesMax, sdpMediaType } from '#contract';
import { anyOf, type Random, seededRandom } from '../../scripts/prove/random.ts';
import { offerParts, offerText } from '../testing/offers.ts';
import { publishRtp } from '../testing/rtp-source.ts';
import { useScene } from '../testing/scene.ts';

const offers = Number(process.env.FUZZ_OFFERS ?? 2_000);
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 1e9));
const lanes = 4;
const answerMsMax = 3_000;
const scene = useScene();

const strange = [
  '',
  ' ',
  '0',
  '-1',
  '4294967296',
  '1e308',
  '99999999999999999999',
  'NaN',
  '*',
  '__proto__',
  'constructor',
  '\u0000',
  '\ufeff',
  '💥',
  '%00%0a',
  'a=b;c=d;;;=',
  'x'.repeat(4_000),
  ' '.repeat(4_000),
  '1 '.repeat(2_000),
];
const lines = [
  'm=',
  'm=audio',
  'm=video 9 UDP/TLS/RTP/SAVPF',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'a=',
  'a=mid:',
  'a=rid:1 send',
  'a=simulcast:send 1;2;~3,4',
  'a=simulcast:recv 1 send 2',
  'a=ssrc:0 cname:x',
  'a=ssrc-group:FID 1',
  'a=ssrc-group:SIM 1 2 3',
  'a=rtpmap:111 opus/0/0',
  'a=rtpmap:999 H264/90000',
  'a=fmtp:109 profile-level-id=zzzzzz;packetization-mode=1',
  'a=fmtp:109 __proto__=1;constructor=2',
  'a=extmap:0 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=extmap:15 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=extmap:256 urn:ietf:params:rtp-hdrext:sdes:mid',
  `a=imageattr:1 send [${'x'.repeat(500)}] [${'y'.repeat(500)}`,
  'a=group:BUNDLE',
  'a=group:BUNDLE 0 1 2 3',
  'a=fingerprint:sha-256',
  'a=fingerprint:md5 AB:CD',
  'a=setup:',
  'a=ice-ufrag:',
  'a=candidate:1 1 udp 1 192.0.2.1 99999 typ host',
  'v=0',
];

function mutated(text: string, random: Random): string {
  const pick = <T>(from: readonly T[]): T => from[anyOf(random, from.length)] as T;
  let changed = text.split('\r\n');
  for (let change = anyOf(random, 4); change >= 0; change -= 1) {
    const at = anyOf(random, Math.max(1, changed.length));
    const line = changed[at] ?? '';
    switch (anyOf(random, 9)) {
      case 0:
        changed.splice(at, 1);
        break;
      case 1:
        changed.splice(at, 0, pick(lines));
        break;
      case 2:
        changed.splice(at, 0, ...Array.from({ length: anyOf(random, 200) }, () => line));
        break;
      case 3:
        changed[at] = line.replace(/[^=:]*$/, pick(strange));
        break;
      case 4:
        changed[at] = line.replace(/\d+/, pick(strange));
        break;
      case 5:
        changed[at] = line.slice(0, anyOf(random, line.length + 1));
        break;
      case 6:
        changed = changed.slice(0, at);
        break;
      case 7:
        changed.push(...changed.slice(at));
        break;
      default: {
        const other = anyOf(random, Math.max(1, changed.length));
        [changed[at], changed[other]] = [changed[other] ?? '', line];
      }
    }
  }
  return changed.join(random() < 0.1 ? pick(['\n', '\r', '\n\r']) : '\r\n').slice(0, sdpBytesMax);
}

/** Sends one after the other, as one person in one stream. Answers what was no refusal and no success. */
async function sendLane(
  count: number,
  random: Random,
): Promise<{ faults: string[]; statuses: Map<number, number> }> {
  const [own, sub] = [randomUUID(), randomUUID()];
  const statuses = new Map<number, number>();
  const faults: string[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const kind = sent % 4 === 3 ? 'whep' : 'whip';
    const stream = kind === 'whip' ? own : scene.stream;
    const capabilities = [kind === 'whip' ? ('publish' as const) : ('subscribe' as const)];
    const token = await scene.edge.ticket({ stream, sub, capabilities });
    const direction = kind === 'whip' ? 'sendonly' : 'recvonly';
    const body = mutated(offerText(offerParts(direction)), random);
    const began = performance.now();
    const response = await fetch(`${scene.node.httpUrl}/${kind}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': sdpMediaType },
      body,
    });
    const { status } = response;
    const text = await response.text();
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const isSlow = performance.now() - began > answerMsMax;
    const isFault = status !== 201 && (status < 400 || status > 499);
    if (isSlow || isFault)
      faults.push(`${status}${isSlow ? ' slow' : ''}: ${text}\n${body}`.slice(0, 2_000));
    if (status !== 201) continue;
    const address = `${scene.node.httpUrl}/${response.headers.get('location')}`;
    const fragment = mutated(
      `a=ice-ufrag:ysXw\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n${lines[26]}\r\n`,
      random,
    );
    const patched = await fetch(address, {
      method: 'PATCH',
      headers: { 'content-type': iceFragmentMediaType, 'if-match': '*' },
      body: fragment,
    });
    if (patched.status >= 500) faults.push(`${patched.status}: ${fragment}`.slice(0, 2_000));
    // Some publications stay, and give way to the next.
    if (kind === 'whep' || random() < 0.5) await fetch(address, { method: 'DELETE' });
  }
  scene.node.rooms.end(own);
  return { faults, statuses };
}

test(`${offers} changed offers of seed ${seed} are taken or refused, and the node stays up`, async () => {
  const keeper = await scene.performer();
  const source = await publishRtp(scene.room, 1);
  const pids = scene.node.pool.workers.map(({ pid }) => pid);
  const sent = await Promise.all(
    Array.from({ length: lanes }, (_, lane) =>
      sendLane(Math.ceil(offers / lanes), seededRandom(seed + lane)),
    ),
  );
  expect(sent.flatMap(({ faults }) => faults)).toEqual([]);
  const count = (status: number) =>
    sent.reduce((sum, { statuses }) => sum + (statuses.get(status) ?? 0), 0);
  source.close();
  keeper.close();
  // It came through to all that can become of one.
  for (const status of [201, 400, 422])
    expect([status, count(status) > 20]).toEqual([status, true]);
  expect(scene.node.pool.workers.map(({ pid }) => pid)).toEqual(pids);
  expect((await fetch(`${scene.node.httpUrl}/readyz`)).status).toBe(200);
  await expect.poll(() => scene.node.rooms.size).toBe(0);
  expect(scene.node.pool.workers[0]?.routers).toBe(0);
}, 180_000);
