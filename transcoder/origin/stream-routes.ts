// Stream routes: playlists for those with a ticket, media for those who know its address.
//
// Every playlist, the multivariant one and the media ones, asks for a ticket at every request. Segments, parts and
// init segments do not, so that a CDN can keep them for everybody: their addresses are the secret. Each has a name
// of 128 random bits in it, which only playlists tell, which no log shows, and which is looked up in a hash table,
// so that the time of an answer says nothing about how much of a guess is right. The name belongs to one playlist of
// one run of a stream, and is replaced every `segmentsPerPathMax` segments: who has an address, but no ticket any
// longer, can count on from it for 20 segments at most; and what has left the playlist is forgotten soon after, so
// an address is dead within a minute or so at the origin. A CDN may go on to answer for what it has kept.
import { Id } from '#contract';
import type { MediaPlaylist } from '../hls/media-playlist.ts';
import type { TranscodeJob } from '../jobs/transcode-job.ts';
import { createPlaylistTexts, type PlaylistTexts } from './playlist-texts.ts';
import { Refusal } from './refusal.ts';
import { readReloadQuery } from './reload-query.ts';
import type { TicketGate } from './ticket-gate.ts';

export interface StreamRequest {
  /** Behind `/live/`, still encoded. */
  path: string;
  query: URLSearchParams;
  acceptsGzip: boolean;
  /** Aborted when the client has gone. */
  signal: AbortSignal;
}

export interface StreamAnswer {
  contentType: string;
  cacheControl: string;
  gzip: boolean;
  body: readonly Buffer[];
}

export type StreamRoutes = (request: StreamRequest) => Promise<StreamAnswer>;

const playlistType = 'application/vnd.apple.mpegurl';
/** Carries the viewer's ticket, so no cache may keep it. */
const masterCache = 'private, no-store';
/** A part takes 200 ms: even a cache may keep a playlist only for a moment. */
const playlistCache = 'public, max-age=1';
/** An answer that was waited for is right for everybody who waits for the same; one target duration is plenty. */
const reloadCache = 'public, max-age=2';
/** No longer than it is listed: then the address is of no use to those who may know it. */
const mediaCache = 'public, max-age=60, immutable';
const initCache = 'public, max-age=3600, immutable';
const thumbnailCache = 'public, max-age=60';

const pathPattern =
  /^([0-9a-f-]{36})\/([A-Za-z0-9_-]{1,64}(?:\/[a-z0-9-]{1,32})?\/?[a-z0-9-]{0,64}\.(m3u8|m4s|mp4|jpg))$/;

export function createStreamRoutes(
  jobOf: (streamId: string) => TranscodeJob | null,
  gate: TicketGate,
): StreamRoutes {
  const texts = new WeakMap<TranscodeJob, PlaylistTexts>();

  function textsOf(job: TranscodeJob): PlaylistTexts {
    let known = texts.get(job);
    if (!known) {
      known = createPlaylistTexts(() => job.presentation.playlists);
      texts.set(job, known);
    }
    return known;
  }

  return async (request) => {
    const match = pathPattern.exec(request.path);
    const streamId = Id.safeParse(match?.[1]);
    const file = match?.[2];
    if (!streamId.success || !file) throw new Refusal('not-found', 'no such address');
    if (!file.endsWith('.m3u8')) return media(jobOf(streamId.data), file, request.signal);

    const ticket = request.query.get('ticket');
    await gate.check(ticket, streamId.data);
    const job = jobOf(streamId.data);
    if (!job) throw new Refusal('not-found', 'this stream is not served here');
    if (file === 'master.m3u8') return master(job, ticket ?? '');
    const playlist = job.presentation.playlists.find((each) => `${each.name}.m3u8` === file);
    if (!playlist) throw new Refusal('not-found', 'no such playlist');
    return reload(playlist, textsOf(job), request);
  };
}

function master(job: TranscodeJob, ticket: string): StreamAnswer {
  const text = job.presentation.master(`?ticket=${encodeURIComponent(ticket)}`);
  if (text === null) throw new Refusal('unavailable', 'nothing is packaged yet');
  return {
    contentType: playlistType,
    cacheControl: masterCache,
    gzip: false,
    body: [Buffer.from(text)],
  };
}

async function reload(
  playlist: MediaPlaylist,
  texts: PlaylistTexts,
  request: StreamRequest,
): Promise<StreamAnswer> {
  const { wanted, skip } = readReloadQuery(request.query);
  if (wanted) {
    switch (await playlist.waitFor(wanted.sequence, wanted.part, request.signal)) {
      case 'too-far':
        throw new Refusal('malformed-query', 'the playlist does not reach so far yet');
      case 'timeout':
        throw new Refusal('unavailable', 'nothing new has come in time');
      case 'full':
        throw new Refusal('unavailable', 'too many players wait for this playlist');
      default:
    }
  }
  if (!playlist.edge()) throw new Refusal('unavailable', 'nothing is packaged yet');
  return {
    contentType: playlistType,
    cacheControl: wanted ? reloadCache : playlistCache,
    gzip: request.acceptsGzip,
    body: [texts.get(playlist, { skip, gzip: request.acceptsGzip })],
  };
}

/** Segments, parts, init segments and thumbnails: who knows the address may have them. */
async function media(
  job: TranscodeJob | null,
  file: string,
  signal: AbortSignal,
): Promise<StreamAnswer> {
  if (!job) throw new Refusal('not-found', 'this stream is not served here');
  if (file.endsWith('.jpg')) {
    const jpeg = job.thumbnails.get(file);
    if (!jpeg) throw new Refusal('not-found', 'no such thumbnail');
    return { contentType: 'image/jpeg', cacheControl: thumbnailCache, gzip: false, body: [jpeg] };
  }
  const name = file.split('/')[1];
  const playlist = job.presentation.playlists.find((each) => each.name === name);
  const body = await playlist?.resource(file, signal);
  if (!playlist || !body) throw new Refusal('not-found', 'no such media');
  const kind = playlist.name === 'audio' ? 'audio' : 'video';
  const cacheControl = file.endsWith('.mp4') ? initCache : mediaCache;
  return { contentType: `${kind}/mp4`, cacheControl, gzip: false, body };
}
