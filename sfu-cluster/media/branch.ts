// A branch: the router of a room on one worker, with the viewers there. Tracks that other branches need come by pipe.
import type { Producer, Router, Transport, WebRtcTransport } from 'mediasoup/types';
import type { Dialect } from './dialect.ts';
import { closeWhenSilent, iceConsentTimeoutSeconds, type Liveness } from './liveness.ts';
import type { MediaWorker } from './worker.ts';

/** What a new viewer's line is believed to carry until it was measured: enough for the top layer. */
const firstGuessBitrateBps = 3_000_000;

export class Branch {
  readonly worker: MediaWorker;
  readonly router: Router;
  readonly #keepsIds: boolean;
  readonly #viewers = new Set<Transport>();
  /** By producer: the id of its copy on this branch, or what makes it. */
  readonly #piped = new Map<string, Promise<string>>();

  private constructor(worker: MediaWorker, router: Router, keepsIds: boolean) {
    this.worker = worker;
    this.router = router;
    this.#keepsIds = keepsIds;
  }

  /** With a dialect it is one of several on its worker, on which an id can be given only once. */
  static async create(worker: MediaWorker, dialect: Dialect | null = null): Promise<Branch> {
    return new Branch(worker, await worker.createRouter(dialect?.codecs), dialect === null);
  }

  get closed(): boolean {
    return this.router.closed;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  async openWebRtcTransport(liveness: Liveness = 'consent'): Promise<WebRtcTransport> {
    const transport = await this.router.createWebRtcTransport({
      webRtcServer: this.worker.webRtcServer,
      enableUdp: true,
      enableTcp: true,
      preferUdp: true,
      iceConsentTimeout: liveness === 'consent' ? iceConsentTimeoutSeconds : 0,
      initialAvailableOutgoingBitrate: firstGuessBitrateBps,
    });
    transport.on('dtlsstatechange', (state) => {
      if (state === 'closed' || state === 'failed') transport.close();
    });
    transport.on('icestatechange', (state) => {
      if (state === 'disconnected') transport.close();
    });
    if (liveness === 'packets') closeWhenSilent(transport);
    return transport;
  }

  /** The same for somebody who watches; `left` is called when the last one here has gone. */
  async openViewerTransport(left: () => void, liveness?: Liveness): Promise<WebRtcTransport> {
    const leave = this.worker.takeViewer();
    try {
      const transport = await this.openWebRtcTransport(liveness);
      this.#viewers.add(transport);
      transport.observer.once('close', () => {
        leave();
        this.#viewers.delete(transport);
        if (this.#viewers.size === 0) left();
      });
      return transport;
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Brings a track of another branch here, once, and answers the id of its copy, which ends with it. */
  carry(from: Branch, producer: Producer): Promise<string> {
    const known = this.#piped.get(producer.id);
    if (known) return known;
    const piping = from.router
      .pipeToRouter({ producerId: producer.id, router: this.router, keepId: this.#keepsIds })
      .then(({ pipeProducer }) => pipeProducer?.id ?? producer.id);
    this.#piped.set(producer.id, piping);
    const forget = () => this.#piped.delete(producer.id);
    producer.observer.once('close', forget);
    // The next one who asks tries again.
    piping.catch(forget);
    return piping;
  }

  close(): void {
    this.router.close();
  }
}
