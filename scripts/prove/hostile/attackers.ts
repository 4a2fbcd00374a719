// Attackers of the room socket: some are strangers, some have tickets of every kind; each sends until it is thrown out.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { signallingVersion } from '#contract';
import type { startTestEdge } from '../../../testing/sfu-node.ts';
import { anyOf, type Random } from '../random.ts';
import { deepPoisoned, type Learned, malformed, poisoned, wellFormed } from './frames.ts';

/** Sockets that are open at a time. */
const attackersAtATime = 48;
/** What one socket may have saved up, and some more, so that it also runs into the limit. */
const framesPerSocket = 70;
/** Whoever looks honest waits so long for the first answers, which teach it ids. */
const learningLimitMs = 500;
/** A node that leaves somebody waiting for longer has hung. */
const answerLimitMs = 15_000;

export interface Attack {
  socketUrl: string;
  edge: Awaited<ReturnType<typeof startTestEdge>>;
  nodeId: string;
  /** The room in which others watch undisturbed, it is hoped. */
  stream: string;
  random: Random;
  frames: number;
  onProgress(sent: number): void;
}

export interface AttackResult {
  sent: number;
  sockets: number;
  /** Answers by what they were: `response`, or the code of the refusal. */
  answers: Record<string, number>;
  /** Attackers that got no answer for too long. */
  hung: number;
}

const Answer = z.object({
  type: z.string(),
  code: z.string().optional(),
  data: z
    .object({
      transportId: z.string().optional(),
      producerId: z.string().optional(),
      consumers: z.array(z.object({ consumerId: z.string() })).optional(),
    })
    .optional(),
});

export async function attack(plan: Attack): Promise<AttackResult> {
  const result: AttackResult = { sent: 0, sockets: 0, answers: {}, hung: 0 };
  const attackers = Array.from({ length: attackersAtATime }, async (_, place) => {
    while (result.sent < plan.frames) {
      await attackOnce(plan, place, result);
      plan.onProgress(result.sent);
    }
  });
  await Promise.all(attackers);
  return result;
}

async function attackOnce(plan: Attack, place: number, result: AttackResult): Promise<void> {
  const { random } = plan;
  result.sockets += 1;
  // Each comes from an address of its own, as far as the node can see.
  const socket = new WebSocket(plan.socketUrl, { localAddress: `127.0.${1 + place}.1` });
  socket.on('error', () => undefined);
  const opened = await Promise.race([once(socket, 'open'), once(socket, 'close').then(() => null)]);
  if (!opened) return;
  const closed = once(socket, 'close');
  const learned: Learned = { transports: [], producers: [], consumers: [] };
  let answered = 0;
  socket.on('message', (data) => {
    answered += 1;
    learn(String(data), learned, result);
  });
  const send = (frame: string | Buffer) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(frame);
    result.sent += 1;
  };

  const isStranger = random() < 0.1;
  if (!isStranger) {
    const ticket = await ticketOf(plan);
    send(JSON.stringify({ id: 0, type: 'join', version: signallingVersion, ticket }));
  }
  // Some are wild and are thrown out soon; most look nearly honest, and get far.
  const isWild = random() < 0.3;
  if (!isWild && !isStranger) {
    for (const direction of ['send', 'receive']) {
      send(JSON.stringify({ id: 1, type: 'transport.create', direction }));
    }
    await Promise.race([once(socket, 'message'), closed, delay(learningLimitMs)]);
  }
  const draw = isWild ? drawWild : drawNearlyHonest;
  for (let id = 2; id <= framesPerSocket && socket.readyState === WebSocket.OPEN; id += 1) {
    send(draw(random, learned, id));
    if (id % 10 === 0) await new Promise((next) => setImmediate(next));
  }
  if (random() < 0.3) socket.terminate();
  else if (!(await settles(socket, () => answered, closed))) result.hung += 1;
  socket.terminate();
}

function drawWild(random: Random, learned: Learned, id: number): string | Buffer {
  const drawn = random();
  if (drawn < 0.3) return malformed(random, learned, id);
  return drawn < 0.7 ? poisoned(random, learned, id) : wellFormed(random, learned, id);
}

/** Keeps below the number of offences that are forgiven, most of the time. */
function drawNearlyHonest(random: Random, learned: Learned, id: number): string | Buffer {
  const drawn = random();
  if (drawn < 0.02) return malformed(random, learned, id);
  if (drawn < 0.04) return poisoned(random, learned, id);
  return drawn < 0.5 ? deepPoisoned(random, learned, id) : wellFormed(random, learned, id);
}

/** A last ping is answered, or the socket is closed; false when neither happens. */
async function settles(
  socket: WebSocket,
  answered: () => number,
  closed: Promise<unknown>,
): Promise<boolean> {
  const before = answered();
  if (socket.readyState === WebSocket.OPEN) socket.send('{"id":999,"type":"ping"}');
  const heard = new Promise<true>((resolve) => {
    const timer = setInterval(() => {
      if (answered() > before) done();
    }, 20);
    const done = () => {
      clearInterval(timer);
      resolve(true);
    };
    closed.then(done);
  });
  const tooLate = new Promise<false>((resolve) => {
    const timer = setTimeout(() => resolve(false), answerLimitMs);
    heard.then(() => clearTimeout(timer));
  });
  return Promise.race([heard, tooLate]);
}

function ticketOf({ edge, nodeId, stream, random }: Attack): Promise<string> {
  // Half of them come into the room where others watch.
  const common = { node: nodeId, stream: random() < 0.5 ? stream : randomUUID() };
  const kind = anyOf(random, 6);
  if (kind === 0) return edge.ticket({ ...common, aud: 'node', use: 'tap' });
  if (kind === 1) return edge.ticket({ ...common, aud: 'node', use: 'pipe' });
  // The performer's place is taken; on the stage there is room.
  if (kind === 2) return edge.ticket({ ...common, capabilities: ['stage', 'subscribe'] });
  if (kind === 3) {
    return edge.ticket({ node: nodeId, stream: randomUUID(), capabilities: ['publish'] });
  }
  return edge.ticket({ ...common, capabilities: ['subscribe'] });
}

function learn(text: string, learned: Learned, result: AttackResult): void {
  const parsed = Answer.safeParse(JSON.parse(text));
  if (!parsed.success) return;
  const { type, code, data } = parsed.data;
  if (type !== 'response' && type !== 'error') return;
  const kind = code ?? type;
  result.answers[kind] = (result.answers[kind] ?? 0) + 1;
  if (data?.transportId !== undefined) learned.transports.push(data.transportId);
  if (data?.producerId !== undefined) learned.producers.push(data.producerId);
  for (const { consumerId } of data?.consumers ?? []) learned.consumers.push(consumerId);
}
