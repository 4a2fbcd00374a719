// Test bench: a transcoder in this process between a fake edge, a fake SFU and a fetching player.
import { pino } from 'pino';
import { readConfig } from '../config.ts';
import type { TranscodeJob } from '../jobs/transcode-job.ts';
import { type Paces, startTranscoder, type TranscoderService } from '../service.ts';
import { type FakeEdge, nodeSecret, startFakeEdge } from './fake-edge.ts';
import { type FakeSfu, startFakeSfu } from './fake-sfu.ts';
import { ffmpegBin, withBytes } from './media.ts';
import { playlistFaults, type ReadPlaylist, readPlaylist } from './playlist-reader.ts';
import { type Publisher, type PublisherOptions, startPublisher } from './publisher.ts';

export const pageOrigin = 'http://page.test';
const pollMs = 20;
/** Several streams start at once, on a machine that does other things as well. */
const readyMsMax = 30_000;

/** Waits until `probe` gives something; throws when it takes too long. */
export async function until<T>(
  what: string,
  probe: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  timeoutMs = 15_000,
): Promise<T> {
  const endMs = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > endMs) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

export interface Bench {
  readonly edge: FakeEdge;
  readonly service: TranscoderService;
  close(): Promise<void>;
}

export async function startBench(options: {
  redisUrl: string;
  paces?: Paces;
  env?: Record<string, string>;
}): Promise<Bench> {
  const edge = await startFakeEdge();
  const config = readConfig({
    TRANSCODER_PORT: '0',
    EDGE_URL: edge.url,
    NODE_SECRET: nodeSecret,
    REDIS_URL: options.redisUrl,
    CLIENT_ORIGINS: pageOrigin,
    FFMPEG_BIN: ffmpegBin,
    ...options.env,
  });
  const log = pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' });
  const service = await startTranscoder(config, log, { reportIntervalMs: 100, ...options.paces });
  return {
    edge,
    service,
    async close() {
      await service.close();
      await edge.close();
    },
  };
}

export interface Stream {
  readonly id: string;
  readonly sfu: FakeSfu;
  readonly publisher: Publisher;
  readonly ticket: string;
  /** Address below the stream's folder, with the ticket. */
  url(file: string, query?: string): string;
  job(): TranscodeJob;
  get(file: string, query?: string): Promise<Response>;
  playlist(name: string, query?: string): Promise<ReadPlaylist>;
  bytes(uri: string): Promise<Buffer>;
  /** Waits until the transcoder reports it as ready. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

export async function startStream(
  bench: Bench,
  options: PublisherOptions & { keyframes?: boolean },
): Promise<Stream> {
  const id = crypto.randomUUID();
  const publisher = startPublisher(options);
  const sfu = await startFakeSfu({
    publisher,
    videoMimeType: options.video?.mimeType ?? 'video/H264',
    keyframes: options.keyframes ?? false,
  });
  bench.edge.assign(id, sfu.url);
  const ticket = await bench.edge.ticket(id);
  const url = (file: string, query = '') =>
    `${bench.service.url}/live/${id}/${file}?ticket=${ticket}${query}`;

  const stream: Stream = {
    id,
    sfu,
    publisher,
    ticket,
    url,
    job() {
      const job = bench.service.jobs.get(id);
      if (!job) throw new Error('no job');
      return job;
    },
    get: (file, query) => fetch(url(file, query)),
    async playlist(name, query) {
      const response = await fetch(url(`${name}.m3u8`, query));
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status} ${text}`);
      return readPlaylist(text);
    },
    async bytes(uri) {
      const response = await fetch(`${bench.service.url}/live/${id}/${uri}`);
      if (!response.ok) throw new Error(`${response.status} for ${uri}`);
      return Buffer.from(await response.arrayBuffer());
    },
    async ready() {
      const isReady = () =>
        bench.edge.reports.at(-1)?.jobs.some((job) => job.streamId === id && job.state === 'ready');
      await until('the stream is ready', isReady, readyMsMax);
    },
    async close() {
      bench.edge.assign(id, null);
      publisher.close();
      await sfu.close();
    },
  };
  return stream;
}

export interface Capture {
  /** The playlists as they were, in order. */
  playlists: ReadPlaylist[];
  /** Rule breaches, with the playlist's name. */
  faults: string[];
  /** Segments in order, each once. */
  segments: Map<number, { data: Buffer; mapUri: string; discontinuity: number; startMs: number }>;
  inits: Map<string, Buffer>;
}

/** Follows a playlist by blocking reloads, as a player does, until `segments` have been seen. */
export async function capture(stream: Stream, name: string, segments: number): Promise<Capture> {
  const out: Capture = { playlists: [], faults: [], segments: new Map(), inits: new Map() };
  let playlist = await stream.playlist(name);
  for (;;) {
    out.playlists.push(playlist);
    out.faults.push(...playlistFaults(playlist).map((fault) => `${name} ${fault}`));
    for (const segment of playlist.segments) {
      if (segment.uri === null || out.segments.has(segment.sequence)) continue;
      if (!out.inits.has(segment.mapUri)) {
        out.inits.set(segment.mapUri, await stream.bytes(segment.mapUri));
      }
      out.segments.set(segment.sequence, {
        data: await stream.bytes(segment.uri),
        mapUri: segment.mapUri,
        discontinuity: segment.discontinuity,
        startMs: segment.programDateTimeMs ?? 0,
      });
    }
    if (playlist.ended || out.segments.size >= segments) return out;
    const last = playlist.segments.at(-1);
    const sequence = last ? (last.uri === null ? last.sequence : last.sequence + 1) : 0;
    const part = last?.uri === null ? last.parts.length : 0;
    playlist = await stream.playlist(name, `&_HLS_msn=${sequence}&_HLS_part=${part}`);
  }
}

/** Writes captured segments as one file; those of one run of media if `discontinuity` is given. */
export async function withFile<T>(
  captured: Capture,
  use: (file: string) => Promise<T>,
  discontinuity?: number,
): Promise<T> {
  const chosen = [...captured.segments.values()].filter(
    (segment) => discontinuity === undefined || segment.discontinuity === discontinuity,
  );
  const [first] = chosen;
  const init = first ? captured.inits.get(first.mapUri) : undefined;
  if (!init) throw new Error('nothing was captured');
  return withBytes(Buffer.concat([init, ...chosen.map((segment) => segment.data)]), use);
}
