// A peer of the bench of the SFU: a server that spreads one broadcast, and the receivers that watch it.
import type { Command } from '../../scripts/launch/child.ts';
import type { Receiver, Receivers, SrtpSuite } from '../../testing/receivers/receivers.ts';

/** What the peers are given, all of them the same. */
export interface PeerDeps {
  /** Wraps a command so that it runs on the processor that is kept for servers. */
  pinned(command: Command): Command;
  /** That encrypt by the suite of the bench, or by another one. */
  startReceivers(suite?: SrtpSuite): Promise<Receivers>;
  /** The folder of a shared libsrtp like the one in the media worker; null: the system's is like it. */
  libsrtpDir: string | null;
  /** A media worker as upstream has it, for whoever is not us. */
  upstreamWorkerBin: string;
  /** Janus as its package lays it out, and what makes it use the loopback interface. */
  janusDir: string;
}

export interface Viewer {
  receiver: Receiver;
  /** When the viewer began to ask for it, by the receivers' clock. */
  requestedAtMs: number;
  ssrcs: { audio: number; video: number };
  leave(): void;
}

export interface Peer {
  name: string;
  receivers: Receivers;
  /** How much sound one packet of its publisher holds; the usual 20 ms when it does not say. */
  audioPacketMs?: number;
  /** Where the source sends plain RTP. */
  ports: { audioPort: number; videoPort: number };
  /** One more who watches and listens. */
  join(): Promise<Viewer>;
  /** Of its media processes and whatever belongs to them. */
  cpuSeconds(): Promise<number>;
  /** What keeps a figure of it from standing for its name; null: nothing does. */
  fault(): Promise<string | null>;
  close(): Promise<void>;
}
