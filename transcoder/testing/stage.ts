// Stage for tests of whole streams: one transcoder and one second of media for all tests of a file.
import { afterAll, beforeAll, type TestContext } from 'vitest';
import { redisUrl } from '../../testing/services.ts';
import { type Bench, type Stream, startBench, startStream } from './bench.ts';
import { type CodedAudio, type CodedVideo, codedH264, codedOpus } from './media.ts';

export type StreamWishes = Parameters<typeof startStream>[1] & {
  /** The stream has one track; both, of the stage's media, otherwise. */
  only?: 'video' | 'audio';
  /** The test waits by itself until the stream is ready. */
  atOnce?: boolean;
};

export interface Stage {
  readonly bench: Bench;
  readonly video: CodedVideo;
  readonly audio: CodedAudio;
  /** A stream that is ready, until the test is over. Tests that run side by side have to say which one they are. */
  open(context: TestContext, wishes?: StreamWishes): Promise<Stream>;
}

/** Sets the stage for the tests of a file; it can be used within tests and hooks. */
export function setStage(options: Omit<Parameters<typeof startBench>[0], 'redisUrl'> = {}): Stage {
  const stage = {} as { -readonly [Name in keyof Stage]: Stage[Name] };
  beforeAll(async () => {
    [stage.bench, stage.video, stage.audio] = await Promise.all([
      startBench({ redisUrl: redisUrl(), ...options }),
      codedH264({ seconds: 4 }),
      codedOpus({ seconds: 4 }),
    ]);
  });
  afterAll(() => stage.bench.close());
  stage.open = async (context, { only, atOnce, ...wishes } = {}) => {
    const stream = await startStream(stage.bench, {
      ...(only === 'audio' ? {} : { video: stage.video }),
      ...(only === 'video' ? {} : { audio: stage.audio }),
      ...wishes,
    });
    context.onTestFinished(() => stream.close());
    if (!atOnce) await stream.ready();
    return stream;
  };
  return stage;
}

/** The stage, with one stream that runs through all tests of a file. */
export function setStream(options: Parameters<typeof setStage>[0] = {}): {
  stage: Stage;
  stream: Stream;
  /** An address below the stream's folder, without a ticket. */
  live(path: string): string;
} {
  const stage = setStage(options);
  const stream = {} as Stream;
  beforeAll(async () => {
    Object.assign(stream, await startStream(stage.bench, stage));
    await stream.ready();
  });
  afterAll(() => stream.close());
  return { stage, stream, live: (path) => `${stage.bench.service.url}/live/${stream.id}/${path}` };
}
