// ffmpeg process: one running ffmpeg that reads from a pipe and writes to a pipe.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** Input that ffmpeg has not taken yet; beyond it, it is stuck. */
export const inputQueueBytesMax = 4 * 1024 * 1024;
const errorTailCharsMax = 2_000;

interface FfmpegEvents {
  data: [bytes: Buffer];
  /** The process is gone; `detail` is the end of what it wrote to stderr. */
  exit: [detail: string];
}

/** Ends when closed, when its input ends (so also when our process dies), or by its own fault. */
export class FfmpegProcess extends EventEmitter<FfmpegEvents> {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #errorTail = '';
  #closed = false;
  #gone = false;

  static start(bin: string, args: readonly string[]): FfmpegProcess {
    return new FfmpegProcess(bin, args);
  }

  private constructor(bin: string, args: readonly string[]) {
    super();
    // A bare environment: nothing of ours is any business of a program that reads foreign bytes.
    this.#child = spawn(bin, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: '/usr/bin:/bin', AV_LOG_FORCE_NOCOLOR: '1' },
    });
    this.#child.stdout.on('data', (bytes: Buffer) => {
      if (!this.#closed) this.emit('data', bytes);
    });
    this.#child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.#errorTail = (this.#errorTail + chunk).slice(-errorTailCharsMax);
    });
    // A broken pipe is the exit event's news; here it would only crash us.
    this.#child.stdin.on('error', () => {});
    this.#child.once('error', (error) => this.#finish(error.message));
    this.#child.once('close', (code, signal) =>
      this.#finish(`${signal ?? `code ${code}`} ${this.#errorTail}`.trim()),
    );
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** True when so much input waits that the process must be stuck. */
  get congested(): boolean {
    return this.#child.stdin.writableLength > inputQueueBytesMax;
  }

  write(bytes: Buffer): void {
    if (!this.#gone && this.#child.stdin.writable) this.#child.stdin.write(bytes);
  }

  /** No more input: the process writes what it still has and ends. */
  endInput(): void {
    if (!this.#gone) this.#child.stdin.end();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#child.kill('SIGKILL');
  }

  #finish(detail: string): void {
    if (this.#gone) return;
    this.#gone = true;
    if (!this.#closed) this.emit('exit', detail);
  }
}
