// Receivers: many real WebRTC receivers in one native process, driven by lines (see native/main.c).
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { receiversBin } from './receivers-bin.ts';

export type SrtpSuite = 'AEAD_AES_128_GCM' | 'AES_CM_128_HMAC_SHA1_80';

export interface IceCredentials {
  usernameFragment: string;
  password: string;
}

/** The server's side of one transport. It is ICE-lite, or gives in when both want to control. */
export interface ServerSide extends IceCredentials {
  address: string;
  port: number;
  /** Of its certificate: SHA-256, in hexadecimal bytes with colons. */
  fingerprint: string;
}

export interface Counts {
  /** Receivers that are connected. */
  connected: number;
  /** Since the start, over all receivers and those that are gone. */
  packets: number;
  bytes: number;
  /** Sequence numbers that have not come. */
  gaps: number;
  /** Packets that did not pass SRTP. */
  refused: number;
}

export interface StreamCount {
  ssrc: number;
  packets: number;
  bytes: number;
  gaps: number;
}

/** A time in which packets of a stream came without a lull, by `monotonicMs`. */
export interface Spell {
  fromMs: number;
  toMs: number;
}

export interface Receiver {
  /** When the media was secured, by `monotonicMs`. Like all that follows it rejects when the receiver has failed. */
  connected(): Promise<number>;
  /** When the first packet of that stream came. */
  firstPacket(ssrc: number): Promise<number>;
  streams(): Promise<StreamCount[]>;
  /** When that stream flowed so far; also after the end of the receiver. */
  spells(ssrc: number): Promise<Spell[]>;
  /** Resolves with the reason when it has failed or the server has closed it. */
  readonly failed: Promise<string>;
  /** The port of 127.0.0.1 where plain RTP and RTCP is taken, which then goes out on this transport. */
  feed(): Promise<number>;
  /** Closes its end of the transport. */
  remove(): void;
}

/** The clock that receivers tell times by, which is the same in all processes of a machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export function newIceCredentials(): IceCredentials {
  const random = (bytes: number) => randomBytes(bytes).toString('hex');
  return { usernameFragment: random(4), password: random(12) };
}

type Fact = PromiseWithResolvers<readonly string[]>;

export class Receivers {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  /** What has been told or is waited for, by the words that name it. */
  readonly #facts = new Map<string, Fact>();
  readonly #failures = new Map<string, string>();
  readonly #counting: PromiseWithResolvers<Counts>[] = [];
  readonly #streams = new Map<string, StreamCount[]>();
  /** By receiver and stream. */
  readonly #spells = new Map<string, Spell[]>();
  #ended: Error | null = null;
  #idsUsed = 0;
  #fingerprint = '';

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line));
    const end = (why: string) => this.#end(new Error(`the receivers have ended: ${why}`));
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(String(signal ?? code)));
  }

  /** They end with this process. `env` is added to ours, to choose libraries. */
  static async start(suite: SrtpSuite, env: Record<string, string> = {}): Promise<Receivers> {
    const child = spawn(await receiversBin(), [suite], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const receivers = new Receivers(child);
    const [fingerprint = ''] = await receivers.#fact('ready').promise;
    receivers.#fingerprint = fingerprint;
    return receivers;
  }

  /** Of the certificate that all of them show: SHA-256. */
  get fingerprint(): string {
    return this.#fingerprint;
  }

  /** Connects at once: the server must have been told our fingerprint, and `own` unless it is ICE-lite. */
  add(server: ServerSide, own = newIceCredentials()): Receiver {
    const id = String(this.#idsUsed++);
    const sides = [own, server].flatMap((side) => [side.usernameFragment, side.password]);
    const { address, port, fingerprint } = server;
    this.#say(['add', id, ...sides, address, port, fingerprint].join(' '));
    const timeOf = async (fact: string) => {
      const [at] = await this.#fact(fact, id).promise;
      return Number(at) / 1000;
    };
    const streams = async () => {
      const told = `streamed ${id}`;
      this.#facts.delete(told);
      this.#streams.set(id, []);
      this.#say(`streams ${id}`);
      await this.#fact(told, id).promise;
      return this.#streams.get(id) ?? [];
    };
    return {
      connected: () => timeOf(`connected ${id}`),
      firstPacket: (ssrc) => timeOf(`first ${id} ${ssrc}`),
      streams,
      spells: async (ssrc) => {
        // Of one that has failed all is known.
        await streams().catch(() => undefined);
        return this.#spells.get(`${id} ${ssrc}`) ?? [];
      },
      failed: this.#fact(`failed ${id}`).promise.then(
        ([why = '']) => why,
        ({ message }: Error) => message,
      ),
      feed: async () => {
        this.#say(`feed ${id}`);
        const [port] = await this.#fact(`feeding ${id}`, id).promise;
        return Number(port);
      },
      remove: () => this.#say(`remove ${id}`),
    };
  }

  count(): Promise<Counts> {
    if (this.#ended) return Promise.reject(this.#ended);
    const counting = Promise.withResolvers<Counts>();
    this.#counting.push(counting);
    this.#say('count');
    return counting.promise;
  }

  /** Why receivers have failed, or were closed by the server. */
  get failures(): string[] {
    return [...this.#failures.values()];
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#child.stdin.end();
    await once(this.#child, 'exit');
  }

  #say(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  #fact(name: string, id?: string): Fact {
    const known = this.#facts.get(name);
    if (known) return known;
    const fact: Fact = Promise.withResolvers();
    // Nobody may be waiting for it when it fails.
    fact.promise.catch(() => undefined);
    this.#facts.set(name, fact);
    const failure = id === undefined ? undefined : this.#failures.get(id);
    if (this.#ended) fact.reject(this.#ended);
    else if (failure !== undefined) fact.reject(new Error(failure));
    return fact;
  }

  #hear(line: string): void {
    const [kind = '', id = '', ...rest] = line.split(' ');
    switch (kind) {
      case 'ready':
        this.#fact(kind).resolve([id]);
        break;
      case 'failed':
        this.#fail(id, rest.join(' '));
        break;
      case 'counted':
        this.#counting.shift()?.resolve(countsOf([id, ...rest].map(Number)));
        break;
      case 'stream':
        this.#streams.get(id)?.push(streamOf(rest.map(Number)));
        this.#flows(id, rest[0], rest[4]);
        break;
      case 'first':
        this.#spells.set(`${id} ${rest[0]}`, [{ fromMs: msOf(rest[1]), toMs: msOf(rest[1]) }]);
        this.#fact(`first ${id} ${rest[0]}`).resolve(rest.slice(1));
        break;
      case 'lull':
        this.#flows(id, rest[0], rest[1]);
        this.#spells.get(`${id} ${rest[0]}`)?.push({ fromMs: msOf(rest[2]), toMs: msOf(rest[2]) });
        break;
      case 'last':
        this.#flows(id, rest[0], rest[1]);
        break;
      default:
        this.#fact(`${kind} ${id}`).resolve(rest);
    }
  }

  /** The newest spell of a stream lasts until then. */
  #flows(id: string, ssrc: string | undefined, until: string | undefined): void {
    const newest = this.#spells.get(`${id} ${ssrc}`)?.at(-1);
    if (newest) newest.toMs = msOf(until);
  }

  #fail(id: string, why: string): void {
    this.#failures.set(id, why);
    this.#facts.get(`failed ${id}`)?.resolve([why]);
    for (const [name, fact] of this.#facts) {
      if (name.split(' ')[1] === id) fact.reject(new Error(why));
    }
  }

  #end(error: Error): void {
    this.#ended = error;
    for (const waiting of [...this.#facts.values(), ...this.#counting]) waiting.reject(error);
  }
}

function countsOf([
  connected = 0,
  packets = 0,
  bytes = 0,
  gaps = 0,
  refused = 0,
]: number[]): Counts {
  return { connected, packets, bytes, gaps, refused };
}

/** The program tells times in microseconds. */
function msOf(time: string | undefined): number {
  return Number(time) / 1000;
}

function streamOf([ssrc = 0, packets = 0, bytes = 0, gaps = 0]: number[]): StreamCount {
  return { ssrc, packets, bytes, gaps };
}
