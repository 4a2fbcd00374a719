// Tests of jobs: they begin and end by the word of the edge, and live on without it.
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { transcodeLeaseSeconds, transcodeNudgeChannel } from '#contract';
import { redisUrl } from '../../testing/services.ts';
import { type Bench, startBench, startStream, until } from '../testing/bench.ts';
import { startFakeSfu } from '../testing/fake-sfu.ts';
import { type CodedVideo, codedH264, codedOpus, ffmpegBin } from '../testing/media.ts';
import { startPublisher } from '../testing/publisher.ts';
import { createJobTable, unconfirmedLeasesMax } from './job-table.ts';
import { createThumbnailMaker } from './thumbnails.ts';

const log = pino({ level: 'silent' });
let bench: Bench;
let video: CodedVideo;

beforeAll(async () => {
  [bench, video] = await Promise.all([
    startBench({ redisUrl: redisUrl(), env: { TRANSCODER_JOBS_MAX: '2' } }),
    codedH264({ seconds: 2 }),
  ]);
});

afterAll(async () => {
  await bench.close();
});

async function open(): Promise<Awaited<ReturnType<typeof startStream>>> {
  const stream = await startStream(bench, { video });
  onTestFinished(() => stream.close());
  return stream;
}

const reportOf = (streamId: string) =>
  bench.edge.reports.at(-1)?.jobs.find((job) => job.streamId === streamId);

describe('a job', () => {
  test('is reported as starting, then as ready, with its place taken', {
    timeout: 30_000,
  }, async () => {
    const stream = await open();
    await until('it is starting', () => reportOf(stream.id)?.state === 'starting');
    expect(bench.edge.reports.at(-1)?.freeJobs).toBe(1);
    await stream.ready();
    expect(bench.edge.reports.at(-1)?.publicUrl).toBe(bench.service.url);
  });

  test('stops when the edge says so, and its place is free', { timeout: 30_000 }, async () => {
    const stream = await open();
    await stream.ready();
    bench.edge.assign(stream.id, null);
    await until('it is gone', () => !reportOf(stream.id));
    expect(stream.job().closed).toBe(true);
    expect(bench.edge.reports.at(-1)?.freeJobs).toBe(2);
  });

  test('goes on while the edge is away, and is confirmed when it is back', {
    timeout: 30_000,
  }, async () => {
    const stream = await open();
    await stream.ready();
    bench.edge.setAway(true);
    const before = (await stream.playlist('video0')).segments.at(-1)?.sequence ?? 0;
    await until('three more segments', async () => {
      const now = (await stream.playlist('video0')).segments.at(-1)?.sequence ?? 0;
      return now >= before + 3;
    });
    bench.edge.setAway(false);
    const reports = bench.edge.reports.length;
    await until('reports again', () => bench.edge.reports.length > reports);
    expect(reportOf(stream.id)?.state).toBe('ready');
  });

  test('whose ticket is refused asks for another', { timeout: 30_000 }, async () => {
    const publisher = startPublisher({ video });
    const sfu = await startFakeSfu({ publisher });
    const streamId = crypto.randomUUID();
    onTestFinished(async () => {
      bench.edge.assign(streamId, null);
      publisher.close();
      await sfu.close();
    });
    sfu.refuseJoins(true);
    bench.edge.assign(streamId, sfu.url);
    await until('several tries', () => sfu.tickets.length >= 3);
    expect(new Set(sfu.tickets).size).toBe(sfu.tickets.length);
    sfu.refuseJoins(false);
    await until('it is ready', () => reportOf(streamId)?.state === 'ready');
  });

  test('without media is stalled, and ready when it is back', { timeout: 45_000 }, async () => {
    const stream = await open();
    await stream.ready();
    stream.publisher.muteVideo(true);
    await until('it is stalled', () => reportOf(stream.id)?.state === 'stalled');
    // The tap may be what is broken: it is opened anew.
    await until('another tap', () => stream.sfu.counts.taps === 2);
    stream.publisher.muteVideo(false);
    await until('it is ready', () => reportOf(stream.id)?.state === 'ready');
  });

  test('taps again when the sources change, and not when they do not', {
    timeout: 30_000,
  }, async () => {
    const stream = await open();
    await stream.ready();
    stream.sfu.announce(['camera']);
    stream.sfu.announce(['camera', 'microphone']);
    await until('a second tap', () => stream.sfu.counts.taps === 2);
    stream.sfu.announce(['camera']);
    await stream.playlist('video0', '');
    expect(stream.sfu.counts.taps).toBe(2);
  });

  test('that finds no place is left to others', { timeout: 30_000 }, async () => {
    const streams = await Promise.all([open(), open(), open()]);
    await until('two run', () => bench.edge.reports.at(-1)?.jobs.length === 2);
    await until('a place is asked for in vain', () => bench.edge.reports.at(-1)?.freeJobs === 0);
    expect(streams.filter((stream) => bench.service.jobs.get(stream.id))).toHaveLength(2);
  });
});

describe('a nudge', () => {
  test('brings the next report at once', { timeout: 30_000 }, async () => {
    const slow = await startBench({
      redisUrl: redisUrl(),
      paces: { reportIntervalMs: 60_000 },
    });
    onTestFinished(() => slow.close());
    const redis = new Redis(redisUrl());
    onTestFinished(() => redis.disconnect());
    await until('somebody listens', async () => {
      const counts = await redis.pubsub('NUMSUB', transcodeNudgeChannel);
      return Number(counts[1]) >= 2;
    });
    // One at the start and one when Redis was there; the next would come in a minute.
    await until('the first reports', () => slow.edge.reports.length >= 2);
    const reports = slow.edge.reports.length;
    await redis.publish(transcodeNudgeChannel, 'work');
    await until('another report', () => slow.edge.reports.length > reports, 3_000);
  });
});

test('a job that the edge has not confirmed for many leases is stopped', async () => {
  const publisher = startPublisher({ video, audio: await codedOpus({ seconds: 1 }) });
  const sfu = await startFakeSfu({ publisher });
  let nowMs = 0;
  const jobs = createJobTable({
    jobsMax: 1,
    publicUrl: 'http://transcoder.test',
    log,
    job: {
      tapAddress: '127.0.0.1',
      ffmpegBin,
      thumbnails: createThumbnailMaker(ffmpegBin, log),
      videoLayers: 1,
    },
    onChange() {},
    now: () => nowMs,
  });
  onTestFinished(async () => {
    jobs.close();
    publisher.close();
    await sfu.close();
  });
  const streamId = crypto.randomUUID();
  const start = [{ streamId, sfuUrl: sfu.url, ticket: 'node-ticket' }];
  jobs.apply({ jobs: [] }, { start, stop: [], revocations: [], revocationsKnown: 0 });
  expect(jobs.running).toBe(1);
  const leaseMs = transcodeLeaseSeconds * 1_000 * unconfirmedLeasesMax;
  nowMs = leaseMs - 1;
  jobs.sweep(nowMs);
  expect(jobs.running).toBe(1);
  jobs.apply(jobs.report(), { start: [], stop: [], revocations: [], revocationsKnown: 0 });
  nowMs += leaseMs;
  jobs.sweep(nowMs);
  expect(jobs.running).toBe(1);
  nowMs += 1;
  jobs.sweep(nowMs);
  expect(jobs.running).toBe(0);
});
