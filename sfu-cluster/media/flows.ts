// Flows: the transports of a room's media by what they are for, so that they can be counted and measured.
import type { BaseTransportStats, Consumer, Transport } from 'mediasoup/types';

export type FlowUse = 'publish' | 'watch' | 'tap' | 'pipe-in' | 'pipe-out';

/** Of any kind: all can tell what has gone through them. */
interface FlowTransport extends Pick<Transport, 'id' | 'closed' | 'observer'> {
  getStats(): Promise<BaseTransportStats[]>;
}

export interface Flow {
  use: FlowUse;
  transport: FlowTransport;
  /** What a viewer is shown; null before that and for all others. */
  picture: Consumer | null;
}

export interface Flows {
  /** Those that are open. */
  readonly all: Flow[];
  /** Kept until the transport closes. */
  add(transport: FlowTransport, use: FlowUse): void;
  /** This picture goes to a viewer from now on. */
  show(transportId: string, picture: Consumer): void;
  count(use: FlowUse): number;
}

export function createFlows(): Flows {
  const flows = new Map<string, Flow>();
  return {
    get all() {
      return [...flows.values()];
    },
    add(transport, use) {
      if (transport.closed) return;
      flows.set(transport.id, { use, transport, picture: null });
      transport.observer.once('close', () => flows.delete(transport.id));
    },
    show(transportId, picture) {
      const flow = flows.get(transportId);
      if (!flow) return;
      flow.picture = picture;
      picture.observer.once('close', () => {
        if (flow.picture === picture) flow.picture = null;
      });
    },
    count(use) {
      let count = 0;
      for (const flow of flows.values()) if (flow.use === use) count += 1;
      return count;
    },
  };
}
