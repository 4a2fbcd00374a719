// Tests of what a node knows of revocations: how it learns what it missed, and when it may admit anybody.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import {
  type ControlMessage,
  controlChannel,
  nodeReportIntervalSeconds,
  type Revocation,
  revocationsPageMax,
} from '#contract';
import { startRedis } from '../testing/redis.ts';
import { createRevocations, unheardMaxSeconds } from './revocations.ts';
import { RoomClient } from './testing/room-client.ts';
import { useScene } from './testing/scene.ts';
import { startTestEdge } from './testing/test-edge.ts';
import { startTestNode } from './testing/test-node.ts';

const scene = useScene();

describe('what Redis did not tell', () => {
  test('what Redis lost the report brings', async () => {
    const sid = randomUUID();
    const client = await scene.join({ sid });
    const bystander = await scene.join();
    const lostAtMs = performance.now();
    const { number } = scene.edge.revoke({ kind: 'session', subject: sid });
    expect(await client.closed).toBe('revoked');
    expect(performance.now() - lostAtMs).toBeLessThan((nodeReportIntervalSeconds + 1) * 1000);
    await scene.edge.report((report) => report.revocationsKnown === number);
    expect(await bystander.request('ping', {})).toEqual({});
    bystander.close();
  });

  test('a gap between two is asked for at once', async () => {
    const [lost, told] = [randomUUID(), randomUUID()];
    const clients = await Promise.all([lost, told].map((sid) => scene.join({ sid })));
    const before = scene.edge.reports.length;
    await scene.edge.report((report) => scene.edge.reports.indexOf(report) >= before);
    const reportedAtMs = performance.now();
    scene.edge.revoke({ kind: 'session', subject: lost });
    await scene.revoke({ kind: 'session', subject: told });
    for (const client of clients) expect(await client.closed).toBe('revoked');
    expect(performance.now() - reportedAtMs).toBeLessThan((nodeReportIntervalSeconds * 1000) / 2);
  });

  test('a node that was cut off from Redis applies what it missed, and hears what comes then', async () => {
    const edge = await startTestEdge();
    let redis = await startRedis();
    const node = await startTestNode({ edgeUrl: edge.url, redisUrl: redis.url });
    const people = Array.from({ length: 4 }, () => ({ sid: randomUUID(), sub: randomUUID() }));
    const clients = await Promise.all(
      people.map(async (who) =>
        RoomClient.join(node.socketUrl, await edge.ticket({ stream: scene.stream, ...who })),
      ),
    );
    const last = people.pop();
    const lastClient = clients.pop();
    edge.broken = true;
    await redis.stop();
    for (const { sid } of people) edge.revoke({ kind: 'session', subject: sid });
    redis = await startRedis(redis.port);
    edge.broken = false;
    for (const client of clients) expect(await client.closed).toBe('revoked');
    expect(await lastClient?.request('ping', {})).toEqual({});

    // The edge tells nothing any more: this one can come over Redis alone.
    edge.broken = true;
    const revocation = edge.revoke({ kind: 'user', subject: last?.sub ?? null });
    const message: ControlMessage = { type: 'revoked', revocation };
    const teller = new Redis(redis.url);
    const heardBy = () => teller.publish(controlChannel, JSON.stringify(message));
    await expect.poll(heardBy, { timeout: 5_000 }).toBe(1);
    teller.disconnect();
    expect(await lastClient?.closed).toBe('revoked');
    await node.close();
    await edge.close();
    await redis.stop();
  });

  test('a message that is no revocation harms nobody', async () => {
    const sid = randomUUID();
    const client = await scene.join({ sid });
    await scene.redis.publish(controlChannel, 'not json');
    await scene.redis.publish(controlChannel, '{"type":"revoked","revocation":{"number":"1"}}');
    await scene.redis.publish(controlChannel, '{"type":"obey"}');
    await scene.revoke({ kind: 'session', subject: sid });
    expect(await client.closed).toBe('revoked');
  });
});

describe('whom a node admits', () => {
  const somebody = { rev: 0, subject: 'somebody', sessionId: null, streamId: null };
  const session = (number: number): Revocation => ({
    number,
    kind: 'session',
    subject: `session-${number}`,
    streamId: null,
  });

  /** What a node knows whose clock is moved by hand. */
  function createScene() {
    let nowMs = 0;
    let asked = 0;
    const revocations = createRevocations({
      onBehind: () => {
        asked += 1;
      },
      nowMs: () => nowMs,
    });
    return {
      revocations,
      asked: () => asked,
      pass(seconds: number): void {
        nowMs += seconds * 1000;
      },
      /** The edge answers a report that was sent so many seconds ago. */
      answer(revocationsKnown: number, told: Revocation[] = [], secondsAgo = 0): void {
        revocations.take({ revocations: told, revocationsKnown }, nowMs - secondsAgo * 1000);
      },
      admits(): boolean {
        try {
          revocations.check(somebody);
          return true;
        } catch (error) {
          expect(error).toMatchObject({ code: 'unavailable' });
          return false;
        }
      },
    };
  }

  /** As it is after a start with an edge and a Redis that are there. */
  function started(known = 0) {
    const scene = createScene();
    scene.revocations.listening();
    scene.pass(1);
    scene.answer(known);
    return scene;
  }

  test('before the first list nobody, and a list has been had when its last page has', () => {
    const { revocations, asked, pass, answer, admits } = createScene();
    revocations.listening();
    revocations.hear(session(2_000));
    pass(1);
    expect([revocations.known, admits()]).toEqual([null, false]);
    const before = asked();
    const page = Array.from({ length: revocationsPageMax }, (_, index) => session(701 + index));
    answer(1_700, page);
    expect([revocations.known, admits(), asked()]).toEqual([1_700, false, before + 1]);
    answer(1_702, [session(1_701), session(1_702)]);
    expect([revocations.known, admits(), asked()]).toEqual([1_702, true, before + 1]);
  });

  test('everybody while the edge is away, as long as Redis tells', () => {
    const { pass, admits } = started();
    pass(100 * unheardMaxSeconds);
    expect(admits()).toBe(true);
  });

  test('everybody while Redis is away, as long as the edge answers', () => {
    const { revocations, pass, answer, admits } = started();
    revocations.deaf();
    for (let round = 0; round < 100; round += 1) {
      pass(unheardMaxSeconds);
      expect(admits()).toBe(true);
      answer(0);
    }
  });

  test('nobody when neither has told anything for longer than the limit', () => {
    const { revocations, pass, answer, admits } = started();
    pass(1_000);
    revocations.deaf();
    revocations.deaf();
    pass(unheardMaxSeconds);
    expect(admits()).toBe(true);
    pass(1);
    expect(admits()).toBe(false);
    answer(0);
    expect(admits()).toBe(true);
  });

  test('Redis that is back does not make up for what it did not tell, an answer does', () => {
    const { revocations, pass, answer, admits } = started();
    revocations.deaf();
    pass(10);
    revocations.listening();
    pass(5);
    // It was sent while Redis told nothing.
    answer(0, [], 8);
    pass(unheardMaxSeconds);
    expect(admits()).toBe(false);
    answer(0);
    pass(100 * unheardMaxSeconds);
    expect(admits()).toBe(true);
  });

  test('nobody when one that is missing cannot be had', () => {
    const { revocations, asked, pass, answer, admits } = started(4);
    revocations.hear(session(6));
    expect([asked(), admits(), revocations.known]).toEqual([1, true, 4]);
    pass(unheardMaxSeconds + 1);
    expect(admits()).toBe(false);
    answer(6, [session(5), session(6)]);
    expect([asked(), admits(), revocations.known]).toEqual([1, true, 6]);
  });

  test('whoever has left hears of none any more', () => {
    const { revocations } = started();
    const ended: number[] = [];
    const watch = () =>
      revocations.watch(
        { ...somebody, sessionId: 'session-1' },
        { end: ({ number }) => ended.push(number), hold: () => undefined },
      );
    const leave = watch();
    watch();
    leave();
    leave();
    revocations.hear(session(1));
    expect(ended).toEqual([1]);
  });
});
