// Encoders that speak RTMP or SRT, in the whole product: seen and heard in browsers by WebRTC and by LL-HLS.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NewStreamKey, Session, Stream } from '#contract';
import { type Encoder, startEncoder } from '../bridge/testing/encoder.ts';
import { admitGuest, choose, type PersonInBrowser } from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { framesAdvance, soundArrives, untilPlaying } from '../testing/video.ts';

/** Of the profile High, as OBS sends it unless told otherwise. */
const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '60'];
const cases = [
  { protocol: 'rtmp', picture: 'as it is', video: [...x264, '-bf', '0'] },
  { protocol: 'srt', picture: 'with B-frames', video: [...x264, '-bf', '2'] },
] as const;

let product: Product;
let guest: PersonInBrowser;
let token: string;
beforeAll(async () => {
  product = await startProduct();
  guest = await product.openWindow();
  await admitGuest(guest);
  const performer = product.stack.accounts?.made?.find(({ role }) => role === 'performer');
  const { email, password } = performer ?? {};
  token = Session.parse(await post('/auth/login', { email, password })).accessToken;
});
afterAll(() => product?.close());

async function post(path: string, body: object = {}): Promise<unknown> {
  const answer = await fetch(`${product.stack.urls.edge}/v1${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

describe.each(cases)('by $protocol, a picture $picture', ({ protocol, video }) => {
  let encoder: Encoder;
  let streamId: string;
  let keyId: string;
  afterAll(() => encoder?.stop());

  test('a key is enough to go live', async () => {
    const stream = await post('/streams', { title: `By ${protocol}`, category: 'music' });
    streamId = Stream.parse(stream).id;
    const { key, secret } = NewStreamKey.parse(await post('/stream-keys', { name: protocol }));
    keyId = key.id;
    const { urls } = product.stack;
    const address =
      protocol === 'rtmp' ? `${urls.rtmp}/${secret}` : `${urls.srt}?streamid=${secret}`;
    encoder = startEncoder(address, { video });
    await guest.page.goto(`/watch/${streamId}`);
    await untilPlaying(guest.page, 'webrtc');
    await framesAdvance(guest.page, 60);
    await soundArrives(guest.page);
  });

  test('the large audience sees and hears it, too', async () => {
    await guest.page.locator('[data-testid="player"]').hover();
    await choose(guest.page, 'transport-hls');
    await untilPlaying(guest.page, 'hls');
    await framesAdvance(guest.page, 60);
    await soundArrives(guest.page);
  });

  test('a new secret cuts the encoder within two seconds', async () => {
    const rotatedAtMs = performance.now();
    await post(`/stream-keys/${keyId}/rotation`);
    await encoder.ended;
    expect(performance.now() - rotatedAtMs).toBeLessThan(2_000);
    await post(`/streams/${streamId}/end`);
  });
});
