// A resource: one connection that was made by HTTP, under an address that only whoever made it knows.
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { HttpMediaKind } from '#contract';
import { mediaCall } from '../media/faults.ts';
import type { Seat } from '../seat.ts';
import { createTokenBucket } from '../token-bucket.ts';
import type { Offer } from './description.ts';
import { parseFragment, writeFragment } from './fragment.ts';
import type { Connection } from './publication.ts';
import { rejection } from './rejection.ts';

/** A connection that was never made is given up after so long. */
export const connectTimeoutMs = 15_000;
/** Changes of ICE that one connection may ask for. */
const patchRatePerSecond = 2;
export const patchBurstMax = 20;

type Patched = { status: 204 } | { status: 200; etag: string; fragment: string };

interface ResourceOptions {
  kind: HttpMediaKind;
  seat: Seat;
  connection: Connection;
  offer: Offer;
  log: Logger;
  onClosed(): void;
}

export class Resource {
  /** 256 random bits: whoever knows them was told, and needs to show nothing else. */
  readonly id = randomBytes(32).toString('base64url');
  readonly kind: HttpMediaKind;
  readonly #seat: Seat;
  readonly #transport: Connection['transport'];
  readonly #rate = createTokenBucket({ ratePerSecond: patchRatePerSecond, burst: patchBurstMax });
  #remoteName: string;
  #etag = newEtag();
  /** Changes are made one after the other. */
  #line: Promise<unknown> = Promise.resolve();

  private constructor({ kind, seat, connection, offer }: ResourceOptions) {
    this.kind = kind;
    this.#seat = seat;
    this.#transport = connection.transport;
    this.#remoteName = offer.ice.usernameFragment;
  }

  static open(options: ResourceOptions): Resource {
    const resource = new Resource(options);
    const { kind, seat, connection, log, onClosed } = options;
    const { transport } = connection;
    const unconnected = setTimeout(
      () => seat.peer.dismiss('join-timeout', 'no connection was made in time'),
      connectTimeoutMs,
    );
    transport.on('dtlsstatechange', (state) => {
      if (state === 'connected') clearTimeout(unconnected);
    });
    if (transport.dtlsState === 'connected') clearTimeout(unconnected);
    transport.observer.once('close', () =>
      seat.peer.dismiss('unavailable', 'the connection has ended'),
    );
    seat.link.once('close', () => {
      clearTimeout(unconnected);
      log.info({ kind, peerId: seat.peer.id }, 'a connection by HTTP has ended');
      onClosed();
    });
    log.info({ kind, peerId: seat.peer.id }, 'a connection by HTTP was made');
    return resource;
  }

  /** Names the ICE session (RFC 9725, section 4.3.1). */
  get etag(): string {
    return this.#etag;
  }

  /** Whose it is: of one person only so many are made. */
  get subject(): string {
    return this.#seat.peer.subject;
  }

  /** Takes in what the other side says of ICE; a new name and password are a restart. */
  patch(ifMatch: string | undefined, body: string): Promise<Patched> {
    const patched = this.#line.then(() => this.#patch(ifMatch, body));
    this.#line = patched.catch(() => undefined);
    return patched;
  }

  async #patch(ifMatch: string | undefined, body: string): Promise<Patched> {
    if (!this.#rate.take()) throw rejection('rate-limited', 'too many changes of one connection');
    if (ifMatch === undefined) {
      throw rejection('precondition-required', 'If-Match must name the ICE session');
    }
    const names = ifMatch.split(',').map((name) => name.trim());
    // The wildcard is written without quotes (RFC 9110), and with them in the examples of RFC 9725.
    const isAny = names.includes('*') || names.includes('"*"');
    if (!isAny && !names.includes(this.#etag)) {
      throw rejection('precondition-failed', 'the ICE session is another one by now');
    }
    const theirs = parseFragment(body);
    if (!theirs || theirs.usernameFragment === this.#remoteName) return { status: 204 };
    const ice = await mediaCall(null, () => this.#transport.restartIce());
    this.#remoteName = theirs.usernameFragment;
    this.#etag = newEtag();
    const fragment = writeFragment(ice, this.#transport.iceCandidates);
    return { status: 200, etag: this.#etag, fragment };
  }

  /** As its other side wishes. */
  end(): void {
    this.#seat.link.end();
  }
}

function newEtag(): string {
  return `"${randomBytes(9).toString('base64url')}"`;
}
