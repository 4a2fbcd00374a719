// The stage of the bridge's tests: a bridge between real encoders and a real node, a new stream for each test.
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { assert } from '#contract';
import { type Scene, useScene } from '../../testing/room-scene.ts';
import { readConfig } from '../config.ts';
import type { Relay } from '../relay.ts';
import { type BridgeService, startBridge } from '../service.ts';
import { type Encoder, type EncoderOptions, startEncoder } from './encoder.ts';
import { type IngestEdge, startIngestEdge } from './ingest-edge.ts';
import { type Watcher, watch } from './watcher.ts';

export type Protocol = 'rtmp' | 'srt';

/** Processes need their time, and more of it on a busy machine. */
export const patient = { timeout: 15_000, interval: 20 };

export interface Stage {
  readonly scene: Scene;
  readonly edge: IngestEdge;
  readonly bridge: BridgeService;
  /** Everything that the bridge has logged. */
  readonly logged: string[];
  addressOf(protocol: Protocol, key: string): string;
  push(protocol: Protocol, key: string, options?: EncoderOptions): Encoder;
  /** Resolves when a picture and a sound are in the room of the running test. */
  untilPublished(): Promise<void>;
  /** The same, and watches them until the test is over. */
  watched(): Promise<Watcher>;
  /** The one relay that there is. */
  relay(): Relay;
  /** Called when the test is over. */
  after(end: () => void): void;
}

/** Called once at the head of a test file. */
export function useStage(env: Record<string, string> = {}): Stage {
  const scene = useScene();
  const logged: string[] = [];
  const ends: (() => void)[] = [];
  let started: { edge: IngestEdge; bridge: BridgeService } | null = null;

  beforeAll(async () => {
    const edge = await startIngestEdge(scene);
    const config = readConfig({
      BRIDGE_PORT: '0',
      BRIDGE_RTMP_PORT: '0',
      BRIDGE_SRT_PORT: '0',
      FFMPEG_BIN: process.env.FFMPEG_BIN,
      EDGE_URL: edge.url,
      CLIENT_ADDRESS_HEADER: 'x-encoder',
      ...env,
    });
    const log = pino({ level: 'trace' }, { write: (line) => void logged.push(line) });
    started = { edge, bridge: await startBridge(config, log) };
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) end();
    await expect.poll(() => started?.bridge.relays.size, patient).toBe(0);
  });
  afterAll(async () => {
    await started?.bridge.close();
    await started?.edge.close();
  });

  const now = () => {
    assert(started, 'the stage is set before the tests');
    return started;
  };
  const stage: Stage = {
    scene,
    get edge() {
      return now().edge;
    },
    get bridge() {
      return now().bridge;
    },
    logged,
    addressOf: (protocol, key) =>
      protocol === 'rtmp'
        ? `rtmp://127.0.0.1:${now().bridge.rtmpPort}/live/${key}`
        : `srt://127.0.0.1:${now().bridge.srtPort}?streamid=${key}`,
    push(protocol, key, options) {
      const encoder = startEncoder(stage.addressOf(protocol, key), options);
      ends.push(encoder.stop);
      return encoder;
    },
    async untilPublished() {
      const sources = () => scene.node.rooms.find(scene.stream)?.sources.length;
      await expect.poll(sources, patient).toBe(2);
    },
    async watched() {
      await stage.untilPublished();
      const watcher = await watch(await scene.transcoder());
      ends.push(watcher.close);
      return watcher;
    },
    relay() {
      const [relay, ...others] = now().bridge.relays;
      assert(relay && others.length === 0, 'there is one relay');
      return relay;
    },
    after: (end) => void ends.push(end),
  };
  return stage;
}
