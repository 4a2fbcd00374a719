// An SFU node in the test's own process, on free ports, with a real media worker.
import { pino } from 'pino';
import { vi } from 'vitest';
import { assert } from '#contract';
import { readConfig } from '../config.ts';
import { createSfuNode, type SfuNodeProcess } from '../node.ts';
import { testNodeSecret } from './test-edge.ts';
import { mediaWorkerBin } from './worker-bin.ts';

export const testOrigin = 'http://watch.test';

export interface TestNode extends SfuNodeProcess {
  socketUrl: string;
}

export interface TestNodeSettings {
  edgeUrl: string;
  redisUrl: string;
  nodeId?: string;
  workers?: number;
  /** False when the edge does not answer: then it is not waited for until the node admits anybody. */
  edgeAnswers?: boolean;
  /** Further environment variables. */
  env?: Record<string, string>;
}

export async function startTestNode(settings: TestNodeSettings): Promise<TestNode> {
  const config = readConfig({
    SFU_NODE_ID: settings.nodeId ?? 'sfu-test',
    SFU_PORT: '0',
    SFU_MEDIA_PORT: '0',
    SFU_WORKERS: String(settings.workers ?? 1),
    MEDIASOUP_WORKER_BIN: mediaWorkerBin(),
    EDGE_URL: settings.edgeUrl,
    NODE_SECRET: testNodeSecret,
    REDIS_URL: settings.redisUrl,
    CLIENT_ORIGINS: testOrigin,
    LOG_LEVEL: process.env.SFU_TEST_LOG ?? 'silent',
    ...settings.env,
  });
  const node = await createSfuNode({ config, log: pino({ level: config.logLevel }) });
  const admits = () => assert(node.revocations.current, 'the node has not heard of the edge yet');
  if (settings.edgeAnswers !== false) await vi.waitFor(admits, { interval: 5, timeout: 5_000 });
  return { ...node, socketUrl: `${node.httpUrl.replace('http', 'ws')}/room` };
}
