// A relay: one encoder's way into the room of its stream, from its key until either side ends it.
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { MediaKind, SocketErrorCode } from '#contract';
import type { Caller } from './caller.ts';
import type { Doorstep } from './doorstep.ts';
import { type EdgeClient, EdgeRefusal } from './edge-client.ts';
import { Feed } from './feed.ts';
import { probe } from './ffmpeg/probe.ts';
import { Publisher } from './ffmpeg/publisher.ts';
import type { Source } from './ffmpeg/source-report.ts';
import { relinkDelayMs, senderSilentMsMax, watchIntervalMs } from './limits.ts';
import { RoomLink } from './node/room-link.ts';
import { openTracks } from './node/tracks.ts';
import { createRecoveries } from './recoveries.ts';
import type { Slots } from './slots.ts';

export interface RelayDeps {
  edge: EdgeClient;
  doorstep: Doorstep;
  /** For pictures that have to be encoded anew. */
  encoders: Slots;
  ffmpegBin: string;
  bitrateMaxBps: number;
  log: Logger;
}

interface RelayEvents {
  /** Media flows into the room: the first time, and after each recovery. */
  flowing: [];
  /** Once. */
  end: [why: string];
}

/** Ends of a link after which another one may be had. */
const passing: ReadonlySet<SocketErrorCode | null> = new Set([
  null,
  'unavailable',
  'internal',
  'too-slow',
]);

export class Relay extends EventEmitter<RelayEvents> {
  readonly id = randomUUID();
  readonly #caller: Caller;
  readonly #deps: RelayDeps;
  readonly #recoveries = createRecoveries();
  readonly #watch: NodeJS.Timeout;
  readonly #ending = new AbortController();
  #log: Logger;
  #feed: Feed | null = null;
  #source: Source | null = null;
  #encodesPicture = false;
  #leaveEncoder: (() => void) | null = null;
  #link: RoomLink | null = null;
  #publisher: Publisher | null = null;
  /** Grows with each attempt to publish: what an earlier one still does is not wanted any more. */
  #attempt = 0;
  /** Whether another link is being made. */
  #isChanging = false;
  #closed = false;

  private constructor(caller: Caller, deps: RelayDeps) {
    super();
    this.#caller = caller;
    this.#deps = deps;
    this.#log = deps.log.child({ relayId: this.id, protocol: caller.protocol });
    this.#watch = setInterval(() => this.#checkSender(), watchIntervalMs);
    caller.once('close', () => this.close('the encoder has left'));
  }

  /** Begins at once; every failure ends it. */
  static start(caller: Caller, deps: RelayDeps): Relay {
    const relay = new Relay(caller, deps);
    relay.#begin().catch((error: unknown) => relay.#fail(error));
    return relay;
  }

  get encodesPicture(): boolean {
    return this.#encodesPicture;
  }

  /** The process that sends, if there is one now. */
  get ffmpegPid(): number | undefined {
    return this.#publisher?.pid;
  }

  close(why: string): void {
    this.#finish(why, () => this.#caller.close());
  }

  #finish(why: string, dismissCaller: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watch);
    this.#ending.abort();
    this.#feed?.direct(null);
    this.#publisher?.close();
    this.#link?.close();
    this.#leaveEncoder?.();
    dismissCaller();
    this.#log.info({ why }, 'relay ended');
    this.emit('end', why);
  }

  async #begin(): Promise<void> {
    const link = await this.#join();
    if (!link) return;
    this.#adopt(link);
    this.#feed = Feed.open(this.#caller, this.#deps.bitrateMaxBps);
    this.#feed.on('excess', () => this.close('more bits than are allowed'));
    this.#caller.accept();
    this.#source = await probe({
      ffmpegBin: this.#deps.ffmpegBin,
      format: this.#caller.format,
      feed: this.#feed,
      signal: this.#ending.signal,
    });
    if (this.#closed) return;
    if (this.#source.picture && !this.#source.picture.takenAsIs) this.#encodeFromNow();
    await this.#republish();
    this.#feed.forgetBeginning();
  }

  /** Null when it is not wanted any more. */
  async #join(): Promise<RoomLink | null> {
    const { streamId, room } = await this.#deps.edge.ticketFor(this.#caller);
    this.#log = this.#log.child({ streamId });
    if (this.#closed) return null;
    const link = await RoomLink.join(room.url, room.ticket);
    if (!this.#closed) return link;
    link.close();
    return null;
  }

  #adopt(link: RoomLink): void {
    this.#link = link;
    link.once('move', () => void this.#move(link));
    link.once('close', (why) => {
      if (this.#link !== link || this.#closed) return;
      this.#log.info({ why }, 'the link to the node is gone');
      if (passing.has(why)) void this.#relink(link);
      else this.close(why ?? 'the node has closed the link');
    });
    // It may have happened while it was on its way here.
    if (link.closed) this.close('the node has closed the link');
  }

  /** Sends what comes from now on into the room, in place of what was sent before. */
  async #publish(attempt: number): Promise<void> {
    const link = this.#link;
    const feed = this.#feed;
    if (!link || !feed || !this.#source || this.#closed) return;
    const kinds = kindsOf(this.#source);
    if (kinds.length === 0) {
      this.close('neither picture nor sound');
      return;
    }
    this.#publisher?.close();
    this.#publisher = null;
    const tracks = await openTracks(link, kinds, this.id);
    if (this.#isStale(attempt)) return;
    const { ffmpegBin } = this.#deps;
    const { format } = this.#caller;
    const encodesPicture = this.#encodesPicture;
    const options = { ffmpegBin, format, tracks, encodesPicture, cname: this.id, feed };
    const publisher = await Publisher.start(options);
    if (this.#isStale(attempt)) publisher.close();
    else this.#employ(publisher);
  }

  #isStale(attempt: number): boolean {
    return this.#closed || attempt !== this.#attempt;
  }

  #employ(publisher: Publisher): void {
    this.#publisher = publisher;
    publisher.once('flowing', () => {
      this.#log.info({ encodes: this.#encodesPicture }, 'media flows');
      this.emit('flowing');
    });
    publisher.once('unfit', (why) => {
      this.#log.info({ why }, 'the picture is encoded anew');
      this.#encodeFromNow();
      void this.#republish();
    });
    publisher.once('end', (why) => {
      this.#log.warn({ why }, 'ffmpeg has ended');
      if (this.#recoveries.take()) void this.#republish();
      else this.close('ffmpeg has ended too often');
    });
  }

  async #republish(): Promise<void> {
    const attempt = ++this.#attempt;
    try {
      await this.#publish(attempt);
    } catch (error) {
      // A later attempt has its own end, and a link that is gone is looked after where it ends.
      if (!this.#isStale(attempt) && this.#link && !this.#link.closed) this.#fail(error);
    }
  }

  #encodeFromNow(): void {
    if (this.#encodesPicture || this.#closed) return;
    this.#leaveEncoder = this.#deps.encoders.take();
    this.#encodesPicture = true;
    if (!this.#leaveEncoder) this.close('no encoder is free for this picture');
  }

  /** The node ends: the room goes on at another one before this one is left, which serves until then. */
  async #move(link: RoomLink): Promise<void> {
    if (!this.#isBy(link) || !this.#recoveries.take()) return;
    this.#log.info('the node asks to move');
    // Not counted: it ends with the node, and a link that is lost is counted.
    while (this.#isBy(link) && !link.closed) {
      await this.#changeFrom(link);
      if (this.#isBy(link)) await delay(relinkDelayMs);
    }
  }

  /** The node is gone without a word; until the edge knows, it may name the same one again. */
  async #relink(lost: RoomLink): Promise<void> {
    this.#attempt += 1;
    this.#feed?.direct(null);
    this.#publisher?.close();
    while (this.#isBy(lost)) {
      await delay(relinkDelayMs);
      // A move that had begun before may be over by now, or will be.
      if (!this.#isBy(lost) || this.#isChanging) continue;
      if (this.#recoveries.take()) await this.#changeFrom(lost);
      else this.close('no node takes this stream');
    }
  }

  /** Whether this is the link by which it publishes. */
  #isBy(link: RoomLink): boolean {
    return !this.#closed && this.#link === link;
  }

  /** Publishes by another link, if one can be had now. One at a time: two would be two senders. */
  async #changeFrom(link: RoomLink): Promise<void> {
    this.#isChanging = true;
    const next = await this.#join().catch((error: unknown) => this.#weigh(error));
    this.#isChanging = false;
    if (!next) return;
    this.#adopt(next);
    await this.#republish();
    link.close();
  }

  /** What will not pass ends it; the rest is tried again. */
  #weigh(error: unknown): null {
    if (error instanceof EdgeRefusal && !error.isPassing) this.#fail(error);
    else this.#log.info({ err: error }, 'no link yet');
    return null;
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    const why = error instanceof Error ? error.message : 'a fault';
    if (!(error instanceof EdgeRefusal)) {
      this.#log.warn({ err: error }, 'relay failed');
      this.close(why);
      return;
    }
    if (error.isWrongKey) this.#deps.doorstep.countWrongKey(this.#caller.address);
    this.#finish(why, () => this.#caller.refuse());
  }

  #checkSender(): void {
    // Who has to wait cannot send.
    const feed = this.#feed?.isHeld ? null : this.#feed;
    const silentMs = feed ? performance.now() - feed.heardAtMs : 0;
    if (silentMs > senderSilentMsMax) this.close('the encoder sends nothing any more');
  }
}

function kindsOf(source: Source): MediaKind[] {
  const picture: MediaKind[] = source.picture ? ['video'] : [];
  const sound: MediaKind[] = source.hasSound ? ['audio'] : [];
  return [...picture, ...sound];
}
