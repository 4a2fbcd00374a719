// Picture wishes: tells the node what is wanted of each picture; one question at a time, and the newest wish counts.
import type { Cancel, Clock } from '../models/clock.ts';
import type { RoomSocket } from './room-socket.ts';

/** A wish that was refused or not answered is told again after so long, so often at most. */
export const wishRetryMs = 1_000;
export const wishRetriesMax = 3;
/** Of the layers in time, which make up the frame rate, as many as there are. */
const temporalLayerMax = 3;

/** `layer` counts from the smallest; null for a picture that has one, or of which nothing is known. */
export type PictureWish = { isPaused: boolean; layer: number | null };

type Entry = {
  told: PictureWish;
  wanted: PictureWish;
  isTelling: boolean;
  retries: number;
  cancelRetry: Cancel;
};

export type PictureWishes = ReturnType<typeof createPictureWishes>;

export function createPictureWishes(socket: Pick<RoomSocket, 'request'>, clock: Clock) {
  const entries = new Map<string, Entry>();

  /** Requests are answered in their order, so the size is known before the picture goes on. */
  async function tellNewest(consumerId: string, { told, wanted }: Entry): Promise<PictureWish> {
    const { isPaused } = wanted;
    const layer = isPaused ? told.layer : (wanted.layer ?? told.layer);
    const asked: Promise<unknown>[] = [];
    if (layer !== null && layer !== told.layer) {
      const temporalLayer = temporalLayerMax;
      asked.push(
        socket.request('consumer.layers', { consumerId, spatialLayer: layer, temporalLayer }),
      );
    }
    if (isPaused !== told.isPaused) {
      const consumerIds = [consumerId];
      asked.push(socket.request(isPaused ? 'consumer.pause' : 'consumer.resume', { consumerIds }));
    }
    await Promise.all(asked);
    return { isPaused, layer };
  }

  async function tell(consumerId: string, entry: Entry): Promise<void> {
    if (entry.isTelling) return;
    entry.isTelling = true;
    entry.cancelRetry();
    try {
      while (entries.get(consumerId) === entry && differs(entry)) {
        entry.told = await tellNewest(consumerId, entry);
        entry.retries = 0;
      }
    } catch {
      retry(consumerId, entry);
    } finally {
      entry.isTelling = false;
    }
  }

  function retry(consumerId: string, entry: Entry): void {
    if (entries.get(consumerId) !== entry || entry.retries >= wishRetriesMax) return;
    entry.retries += 1;
    entry.cancelRetry = clock.after(wishRetryMs, () => tell(consumerId, entry));
  }

  function forget(consumerId: string): void {
    entries.get(consumerId)?.cancelRetry();
    entries.delete(consumerId);
  }

  return {
    /** A picture that the node sends in this way, or does not send yet. */
    begin(consumerId: string, told: PictureWish): void {
      forget(consumerId);
      const entry = { told, wanted: told, isTelling: false, retries: 0, cancelRetry: () => {} };
      entries.set(consumerId, entry);
    },
    /** Resolves when the node has answered to the newest wish. */
    async want(consumerId: string, wish: PictureWish): Promise<void> {
      const entry = entries.get(consumerId);
      if (!entry) return;
      if (!isSame(entry.wanted, wish)) entry.retries = 0;
      entry.wanted = wish;
      await tell(consumerId, entry);
    },
    forget,
    close(): void {
      for (const consumerId of [...entries.keys()]) forget(consumerId);
    },
  };
}

function isSame(one: PictureWish, other: PictureWish): boolean {
  return one.isPaused === other.isPaused && one.layer === other.layer;
}

/** A layer that a paused picture should have is told when it goes on. */
function differs({ told, wanted }: Entry): boolean {
  if (told.isPaused !== wanted.isPaused) return true;
  return !wanted.isPaused && wanted.layer !== null && wanted.layer !== told.layer;
}
