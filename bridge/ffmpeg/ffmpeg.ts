// ffmpeg: one process that reads an encoder's bytes from a pipe, and reports the packets that it finds in them.
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { inputQueueBytesMax } from '../limits.ts';
import { createLastWords } from './last-words.ts';
import { createPacketReport, type ReportedPacket } from './packet-report.ts';

/** What it says of its input is at the beginning. */
const saidCharsMax = 16_000;

interface FfmpegEvents {
  packet: [packet: ReportedPacket];
  /** There is room for more input again. */
  drain: [];
  /** Once, unless it was closed: how it has ended, and what it said last. */
  exit: [why: string];
}

export class Ffmpeg extends EventEmitter<FfmpegEvents> {
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #lastWords = createLastWords();
  #said = '';
  #closed = false;
  #gone = false;

  private constructor(bin: string, args: readonly string[]) {
    super();
    // A bare environment: nothing of ours is any business of a program that reads foreign bytes.
    const child = spawn(bin, args, {
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/bin:/bin', AV_LOG_FORCE_NOCOLOR: '1' },
    });
    const [input, , errors, reported] = child.stdio;
    this.#child = child;
    this.#input = input as Writable;
    // A broken pipe is the exit event's news.
    this.#input.on('error', () => undefined);
    this.#input.on('drain', () => this.emit('drain'));
    (errors as Readable).setEncoding('utf8').on('data', (chunk: string) => {
      this.#said += chunk.slice(0, saidCharsMax - this.#said.length);
      this.#lastWords.hear(chunk);
    });
    const report = createPacketReport((packet) => {
      if (!this.#closed) this.emit('packet', packet);
    });
    (reported as Readable).setEncoding('utf8').on('data', (chunk: string) => report.hear(chunk));
    child.once('error', (error) => this.#finish(error.message));
    child.once('close', (code, signal) => this.#finish(String(signal ?? `code ${code}`)));
  }

  static start(bin: string, args: readonly string[]): Ffmpeg {
    return new Ffmpeg(bin, args);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The beginning of what it has written to stderr. */
  get said(): string {
    return this.#said;
  }

  get congested(): boolean {
    return this.#input.writableLength > inputQueueBytesMax;
  }

  write(bytes: Buffer): void {
    if (this.#input.writable) this.#input.write(bytes);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#child.kill('SIGKILL');
  }

  #finish(why: string): void {
    if (this.#gone) return;
    this.#gone = true;
    const { text } = this.#lastWords;
    if (!this.#closed) this.emit('exit', text === '' ? why : `${why}: ${text}`);
  }
}
