// Every route of streams and their rooms, tips among them.
import { startOfferNode } from '../nodes.ts';
import type { Stage } from './stage.ts';

export async function streamRoutes({ call, cast }: Stage): Promise<void> {
  const performer = await cast.member('performer');
  const { token } = performer;
  const create = { title: 'A stream', category: 'music', tags: ['piano'] };
  const { id } = (await call('POST', '/v1/streams', { token, body: create })).body;
  const path = `/v1/streams/${id}`;
  const read = await call('GET', path, { token });
  await call('PATCH', path, {
    token,
    body: { title: 'Another one' },
    headers: { 'if-match': read.headers.get('etag') ?? '' },
  });
  await call('GET', '/v1/streams?limit=5');
  await call('GET', '/v1/streams/mine', { token });
  await call('POST', `${path}/start`, { token });
  await call('POST', `${path}/end`, { token });
}

export async function roomRoutes({ call, cast, edge }: Stage): Promise<void> {
  const fan = await cast.fan(1);
  const { performer: host, streamId } = await edge.goLive();
  const token = host.session.accessToken;
  const path = `/v1/streams/${streamId}`;
  await call('POST', `${path}/tickets`, { token: fan.token, body: { intent: 'watch' } });
  await call('GET', `${path}/events`, { token: fan.token });
  const said = await call('POST', `${path}/messages`, {
    token: fan.token,
    body: { body: 'hello' },
  });
  await call('DELETE', `${path}/messages/${said.body.data.messageId}`, { token });
  await call('POST', '/v1/tips', { token: fan.token, body: { streamId, amountTokens: 5 } });
  await call('GET', '/v1/fees');
  for (const part of ['moderators', 'bans', 'entries']) {
    const body = part === 'bans' ? { body: { kind: 'silenced', minutes: 5 } } : {};
    await call('PUT', `${path}/${part}/${fan.id}`, { token, ...body });
    if (part === 'moderators') await call('GET', `${path}/${part}`, { token });
    await call('DELETE', `${path}/${part}/${fan.id}`, { token });
  }
  const ticketed = await cast.live(undefined, { visibility: 'ticketed', entryTokens: 10 });
  await call('POST', `/v1/streams/${ticketed.streamId}/entry`, {
    token: fan.token,
    body: { entryTokens: 10 },
  });
}

export async function stageRoutes({ call, cast, edge }: Stage): Promise<void> {
  const { performer: host, streamId } = await edge.goLive();
  const token = host.session.accessToken;
  const guest = await cast.member();
  const staff = await cast.member('moderator');
  const path = `/v1/streams/${streamId}/stage`;
  await call('POST', path, { token, body: { username: guest.username } });
  await call('POST', `${path}/answer`, { token: guest.token, body: { accept: true } });
  const held = { sound: true, picture: false };
  await call('PUT', `${path}/${guest.id}/hold`, { token, body: held });
  await call('PUT', `/v1/admin/streams/${streamId}/holds/${guest.id}`, {
    token: staff.token,
    body: held,
  });
  await call('GET', path, { token });
  await call('DELETE', `${path}/${guest.id}`, { token });
}

export async function findingRoutes({ call, cast }: Stage): Promise<void> {
  const staff = await cast.member('moderator');
  await call('GET', '/v1/streams/every', { token: staff.token });
  await call('GET', '/v1/search?q=piano');
  const from = await cast.live();
  const to = await cast.live();
  const { token } = from.performer;
  const body = { to: to.streamId };
  await call('POST', `/v1/streams/${from.streamId}/raid`, { token, body });
}

export async function streamKeyRoutes({ call, edge }: Stage): Promise<void> {
  const { performer } = await edge.goLive();
  const token = performer.session.accessToken;
  const path = '/v1/stream-keys';
  const { key } = (await call('POST', path, { token, body: { name: 'Studio' } })).body;
  await call('GET', path, { token });
  const { secret } = (await call('POST', `${path}/${key.id}/rotation`, { token })).body;
  await call('POST', '/v1/ingest/tickets', { token: secret, body: { protocol: 'whip' } });
  await call('DELETE', `${path}/${key.id}`, { token });
}

export async function offerRoutes({ call, cast, edge }: Stage): Promise<void> {
  const node = await startOfferNode(edge, 'sfu-every-route');
  try {
    const { performer, streamId } = await cast.live();
    await node.hold(streamId);
    const made = await performer.act('POST', '/v1/stream-keys', { name: 'OBS' });
    const offer = { body: 'v=0\r\n', headers: { 'content-type': 'application/sdp' } };
    const fan = await cast.member();
    for (const [path, token] of [
      ['/v1/whip', made.body.secret],
      [`/v1/whep/${streamId}`, fan.token],
    ] as const) {
      const answer = await call('POST', path, { ...offer, token });
      if (!answer.headers.get('location')?.startsWith('http')) throw new Error('no address');
    }
  } finally {
    await node.close();
  }
}
