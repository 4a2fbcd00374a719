// Every route of what people show of themselves, and of whom they follow and shun.
import { crc32, deflateSync } from 'node:zlib';
import type { Stage } from './stage.ts';

const me = '/v1/users/me';

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

const side = 16;

/** A white square (PNG, third edition). */
function png(): Uint8Array {
  const header = Buffer.from([0, 0, 0, side, 0, 0, 0, side, 8, 0, 0, 0, 0]);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  const pixels = deflateSync(
    Buffer.concat(Array(side).fill(Buffer.from([0, ...Array(side).fill(255)]))),
  );
  const chunks = [chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...chunks]);
}

export async function profileRoutes({ call, cast }: Stage): Promise<void> {
  const { token, username } = await cast.member('performer');
  for (const [name, body] of [
    ['profile', { bio: 'Piano in the evening.' }],
    ['preferences', { reducedEffects: true }],
  ] as const) {
    const { version } = (await call('GET', `${me}/${name}`, { token })).body;
    const headers = { 'if-match': `"${version}"` };
    await call('PATCH', `${me}/${name}`, { token, body, headers });
  }
  const headers = { 'content-type': 'image/png' };
  const pictured = await call('PUT', `${me}/avatar`, { token, body: png(), headers });
  await call('GET', pictured.body.avatarUrl);
  await call('DELETE', `${me}/avatar`, { token });
  await call('GET', `/v1/users/${username}`);
  await call('GET', `${me}/country-blocks`, { token });
  await call('PUT', `${me}/country-blocks`, { token, body: { countries: ['FR'] } });
}

export async function scheduleRoutes({ call, cast }: Stage): Promise<void> {
  const { token, username } = await cast.member('performer');
  const startsAt = new Date(Date.now() + 86_400_000).toISOString();
  const body = { title: 'Late piano', category: 'music', startsAt, minutes: 90 };
  const { id } = (await call('POST', `${me}/schedule`, { token, body })).body;
  await call('GET', `${me}/schedule`, { token });
  await call('PATCH', `${me}/schedule/${id}`, { token, body: { minutes: 60 } });
  await call('GET', `/v1/users/${username}/schedule.ics`);
  await call('DELETE', `${me}/schedule/${id}`, { token });
}

export async function relationRoutes({ call, cast }: Stage): Promise<void> {
  const { token } = await cast.member();
  const other = await cast.member('performer');
  for (const kind of ['following', 'mutes', 'blocks']) {
    await call('PUT', `${me}/${kind}/${other.id}`, { token });
    await call('GET', `${me}/${kind}`, { token });
    await call('DELETE', `${me}/${kind}/${other.id}`, { token });
  }
}
