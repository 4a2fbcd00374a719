// Stream routes: playlists for those with a ticket, media for those who know its address.
//
// Every playlist, the multivariant one and the media ones, asks for a ticket at every request, and waits for nothing
// longer than the ticket is good. Segments, parts and init segments do not ask, so that a CDN can keep them for
// everybody: their addresses are the secret. Each has a name of 128 random bits in it, which only playlists tell, which
// no log shows, and which is looked up in a hash table, so that the time of an answer says nothing about how much of a
// guess is right. The name belongs to one playlist of one run of a stream, and is replaced every `segmentsPerPathMax`
// segments: who has an address, but has let the ticket expire, can count on from it for 20 segments at most. When a
// ticket is ended before its time, the name is replaced at once: the hinted part is the last that can be had, and all
// addresses that were told before are dead in `renewedPathMsMax`, here and in every cache, as no answer may be kept for
// longer than its address lives.
import { Id } from '#contract';
import type { Generation } from '../hls/generation.ts';
import type { MediaPlaylist } from '../hls/media-playlist.ts';
import type { TranscodeJob } from '../jobs/transcode-job.ts';
import { createPlaylistTexts, type PlaylistTexts } from './playlist-texts.ts';
import { Refusal } from './refusal.ts';
import { readReloadQuery } from './reload-query.ts';
import type { Admission, TicketGate } from './ticket-gate.ts';
import type { Watchers } from './watchers.ts';

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
  /** Whoever is still reading when this is over is cut off; null for what nobody is kept from. */
  generation: Generation | null;
}

export type StreamRoutes = (request: StreamRequest) => Promise<StreamAnswer>;

const playlistType = 'application/vnd.apple.mpegurl';
/** Carries the viewer's ticket, so no cache may keep it. */
const masterCache = 'private, no-store';
/** A part takes 200 ms: even a cache may keep a playlist only for a moment. */
const playlistCache = 'public, max-age=1';
/** Everybody at the live edge comes within this time; and no cache may go on for those whose ticket is ended. */
export const mediaCacheSeconds = 6;
const initCache = 'public, max-age=3600, immutable';
const thumbnailCache = 'public, max-age=60';

const pathPattern =
  /^([0-9a-f-]{36})\/([A-Za-z0-9_-]{1,64}(?:\/[a-z0-9-]{1,32})?\/?[a-z0-9-]{0,64}\.(m3u8|m4s|mp4|jpg))$/;

export function createStreamRoutes(
  jobOf: (streamId: string) => TranscodeJob | null,
  gate: TicketGate,
  watchers: Pick<Watchers, 'see'>,
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
    const admission = await gate.admit(ticket, streamId.data);
    const job = jobOf(streamId.data);
    if (!job) throw new Refusal('not-found', 'this stream is not served here');
    if (file === 'master.m3u8') return master(job, ticket ?? '');
    watchers.see(streamId.data, admission.subject);
    const playlist = job.presentation.playlists.find((each) => `${each.name}.m3u8` === file);
    if (!playlist) throw new Refusal('not-found', 'no such playlist');
    return reload(playlist, textsOf(job), admission, request);
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
    generation: null,
  };
}

async function reload(
  playlist: MediaPlaylist,
  texts: PlaylistTexts,
  admission: Admission,
  request: StreamRequest,
): Promise<StreamAnswer> {
  const { wanted, skip } = readReloadQuery(request.query);
  if (wanted) {
    const waiting = { signal: request.signal, isOver: () => admission.ended };
    const result = await playlist.waitFor(wanted.sequence, wanted.part, waiting);
    admission.confirm();
    switch (result) {
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
    cacheControl: playlistCache,
    gzip: request.acceptsGzip,
    body: [texts.get(playlist, { skip, gzip: request.acceptsGzip })],
    generation: null,
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
    return {
      contentType: 'image/jpeg',
      cacheControl: thumbnailCache,
      gzip: false,
      body: [jpeg],
      generation: null,
    };
  }
  const name = file.split('/')[1];
  const playlist = job.presentation.playlists.find((each) => each.name === name);
  const resource = await playlist?.resource(file, signal);
  if (!playlist || !resource) throw new Refusal('not-found', 'no such media');
  const { body, generation } = resource;
  const kind = playlist.name === 'audio' ? 'audio' : 'video';
  const cacheControl = file.endsWith('.mp4') ? initCache : mediaCache(generation);
  return { contentType: `${kind}/mp4`, cacheControl, gzip: false, body, generation };
}

function mediaCache({ leftMs }: Generation): string {
  const seconds = Math.min(mediaCacheSeconds, Math.floor(leftMs / 1_000));
  return `public, max-age=${seconds}, s-maxage=${seconds}`;
}
