// A media worker: one mediasoup process that moves packets on one core, behind one port.
import { EventEmitter } from 'node:events';
import { isIPv6 } from 'node:net';
import { createWorker } from 'mediasoup';
import type {
  Router,
  RouterRtpCodecCapability,
  Transport,
  TransportListenInfo,
  WebRtcServer,
  Worker,
  WorkerResourceUsage,
} from 'mediasoup/types';
import type { Logger } from 'pino';
import type { SfuConfig } from '../config.ts';
import { withDeadline } from '../deadline.ts';
import { mediaCodecs } from './codecs.ts';

/** A worker that does not answer a question by then has missed it. */
const answerTimeoutMs = 1_500;
/** A worker that misses so many questions in a row hangs, and is killed to be replaced. */
const missedAnswersMax = 3;
/** libuv tells the resident set in kilobytes, on every system. */
const maxrssUnitBytes = 1024;
/** Weight of the newest measurement in the smoothed load. */
const loadSmoothing = 0.5;

interface MediaWorkerEvents {
  /** Once: the process is gone and everything on it. */
  died: [];
}

/** The library closes a worker at the signals by which we are asked to end; its media has to flow while we drain. */
function outliveSignals(worker: Worker): void {
  const close = Reflect.get(worker, 'onSignal') as () => void;
  for (const signal of ['SIGTERM', 'SIGINT']) process.removeListener(signal, close);
}

export class MediaWorker extends EventEmitter<MediaWorkerEvents> {
  readonly index: number;
  readonly webRtcServer: WebRtcServer;
  readonly #worker: Worker;
  readonly #log: Logger;
  readonly #viewersMax: number;
  #routers = 0;
  #viewers = 0;
  #consumers = 0;
  #memoryPeakBytes = 0;
  #cpuLoad = 0;
  #measured: { cpuMs: number; atMs: number } | null = null;
  #missedAnswers = 0;

  private constructor(
    index: number,
    worker: Worker,
    webRtcServer: WebRtcServer,
    viewersMax: number,
    log: Logger,
  ) {
    super();
    this.index = index;
    this.webRtcServer = webRtcServer;
    this.#worker = worker;
    this.#viewersMax = viewersMax;
    this.#log = log;
  }

  static async create(index: number, media: SfuConfig['media'], log: Logger): Promise<MediaWorker> {
    const worker = await createWorker({
      logLevel: 'warn',
      ...(media.workerBin === undefined ? {} : { workerBin: media.workerBin }),
    });
    outliveSignals(worker);
    try {
      const webRtcServer = await worker.createWebRtcServer({
        listenInfos: listenInfosOf(index, media),
      });
      const own = log.child({ worker: index, pid: worker.pid });
      const mediaWorker = new MediaWorker(index, worker, webRtcServer, media.viewersPerWorker, own);
      worker.once('died', (error) => {
        own.error({ err: error }, 'a media worker died');
        mediaWorker.emit('died');
      });
      own.info('media worker started');
      return mediaWorker;
    } catch (error) {
      worker.close();
      throw error;
    }
  }

  get pid(): number {
    return this.#worker.pid;
  }

  get closed(): boolean {
    return this.#worker.closed;
  }

  /** Rooms whose media runs here. */
  get routers(): number {
    return this.#routers;
  }

  /** Share of one core, 0 to 1, smoothed over the last measurements. */
  get cpuLoad(): number {
    return this.#cpuLoad;
  }

  /** People who watch here, over all rooms. */
  get viewers(): number {
    return this.#viewers;
  }

  /** Tracks that it sends: to viewers, taps, and through pipes. */
  get consumers(): number {
    return this.#consumers;
  }

  /** The most memory that it has had. */
  get memoryPeakBytes(): number {
    return this.#memoryPeakBytes;
  }

  /** The share of what it can carry that is in use: of its core, or of its places. */
  get share(): number {
    return Math.max(this.#cpuLoad, this.#viewers / this.#viewersMax);
  }

  /** Takes a place for somebody who watches; the answer gives it back. */
  takeViewer(): () => void {
    this.#viewers += 1;
    return () => {
      this.#viewers -= 1;
    };
  }

  /** All routers speak the same codecs, if not under the same numbers. */
  async createRouter(codecs: readonly RouterRtpCodecCapability[] = mediaCodecs): Promise<Router> {
    // Counted at once, so that rooms that open together spread out.
    this.#routers += 1;
    try {
      const router = await this.#worker.createRouter({ mediaCodecs: [...codecs] });
      router.observer.once('close', () => {
        this.#routers -= 1;
      });
      router.observer.on('newtransport', (transport) => this.#countConsumers(transport));
      return router;
    } catch (error) {
      this.#routers -= 1;
      throw error;
    }
  }

  /** Asks the process a real question; throws when it does not answer. */
  async probe(timeoutMs: number): Promise<WorkerResourceUsage> {
    return withDeadline(
      this.#worker.getResourceUsage(),
      timeoutMs,
      () => new Error('the worker does not answer'),
    );
  }

  /** Measures the CPU that it used since the last time; kills a process that hangs. */
  async measure(): Promise<void> {
    try {
      const usage = await this.probe(answerTimeoutMs);
      this.#missedAnswers = 0;
      this.#memoryPeakBytes = usage.ru_maxrss * maxrssUnitBytes;
      const now = { cpuMs: usage.ru_utime + usage.ru_stime, atMs: performance.now() };
      if (this.#measured) {
        const share = (now.cpuMs - this.#measured.cpuMs) / (now.atMs - this.#measured.atMs);
        const newest = Math.min(1, Math.max(0, share));
        this.#cpuLoad += loadSmoothing * (newest - this.#cpuLoad);
      }
      this.#measured = now;
    } catch (error) {
      if (this.closed) return;
      this.#missedAnswers += 1;
      this.#log.warn({ err: error, missed: this.#missedAnswers }, 'a media worker is silent');
      if (this.#missedAnswers < missedAnswersMax) return;
      this.#log.error('a media worker hangs and is killed');
      process.kill(this.pid, 'SIGKILL');
    }
  }

  #countConsumers(transport: Transport): void {
    transport.observer.on('newconsumer', (consumer) => {
      this.#consumers += 1;
      consumer.observer.once('close', () => {
        this.#consumers -= 1;
      });
    });
  }

  close(): void {
    this.#worker.close();
  }
}

/** UDP and TCP on the same port of every address. */
function listenInfosOf(index: number, media: SfuConfig['media']): TransportListenInfo[] {
  return media.addresses.flatMap(({ listen, announced }) => {
    const common = {
      ip: listen,
      ...(announced === undefined ? {} : { announcedAddress: announced }),
      ...(media.port === 0 ? {} : { port: media.port + index }),
      // Else `::` would take the port of `0.0.0.0` as well.
      ...(isIPv6(listen) ? { flags: { ipv6Only: true } } : {}),
    };
    return [
      { ...common, protocol: 'udp' },
      { ...common, protocol: 'tcp' },
    ];
  });
}
