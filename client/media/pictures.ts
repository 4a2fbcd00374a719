// The pictures of a receiver: what is wanted of each, by how it is looked at, is what the node is asked for.
import type { ConsumerData, LayerSize, MediaSource, TrackOwner } from '#contract';
import type { Cancel, Clock } from '../models/clock.ts';
import { chooseLayer } from '../models/layer-choice.ts';
import { hostPlace, type Viewing } from '../models/viewing.ts';
import { createPictureWishes, type PictureWish } from './picture-wishes.ts';
import type { RoomSocket } from './room-socket.ts';

/** With several pictures of a person, the one that is shown. */
export const pictureOrder: readonly MediaSource[] = ['screen', 'camera'];
/** Browsers play the sound of a stream only once its first picture is there: until so long after it began none is stopped. */
export const firstPictureMs = 2_000;
/** Sizes of so many pictures are remembered; a room has no more of them. */
export const sizesToldMax = 64;

type Picture = {
  consumerId: string;
  producerId: string;
  source: MediaSource;
  owner: TrackOwner;
  sizes: readonly LayerSize[];
  layer: number | null;
  /** Null before it has begun. */
  begunAtMs: number | null;
};

type Deps = {
  socket: Pick<RoomSocket, 'request'>;
  viewing: Viewing;
  clock: Clock;
  /** Something else may be known of the pictures than before. */
  onChange: () => void;
};

export type Pictures = ReturnType<typeof createPictures>;

export function createPictures({ socket, viewing, clock, onChange }: Deps) {
  const wishes = createPictureWishes(socket, clock);
  const pictures = new Map<string, Picture>();
  /** By producer, what was told last: it may come before the answer with the picture itself, which is older then. */
  const told = new Map<string, readonly LayerSize[]>();
  const cancels = new Set<Cancel>();

  function isCovered({ owner, source }: Picture): boolean {
    const theirs = [...pictures.values()].filter((other) => other.owner.id === owner.id);
    return pictureOrder.find((one) => theirs.some((other) => other.source === one)) !== source;
  }

  function isPaused(picture: Picture): boolean {
    if (viewing.soundOnly.peek() || isCovered(picture)) return true;
    const { owner, begunAtMs } = picture;
    const inSight = owner.isHost ? viewing.hostInSight : viewing.guestsInSight;
    if (inSight.peek()) return false;
    return begunAtMs !== null && clock.now() - begunAtMs >= firstPictureMs;
  }

  function wishOf(picture: Picture): PictureWish {
    const { owner, sizes, layer } = picture;
    if (sizes.length > 1) {
      const box = viewing.boxes.peek().get(owner.isHost ? hostPlace : owner.id) ?? null;
      picture.layer = chooseLayer(sizes, viewing.quality.peek(), box, layer);
    }
    return { isPaused: isPaused(picture), layer: picture.layer };
  }

  function settle(): void {
    for (const picture of pictures.values()) wishes.want(picture.consumerId, wishOf(picture));
  }
  function onViewing(): void {
    if (pictures.size === 0) return;
    settle();
    onChange();
  }
  const { quality, hostInSight, guestsInSight, boxes } = viewing;
  const stops = [quality, hostInSight, guestsInSight, boxes].map((one) => one.subscribe(onViewing));

  return {
    /** Takes in what the node has made, all paused, and asks it to begin with what is looked at. */
    begin(fresh: readonly ConsumerData[]): void {
      for (const { consumerId, producerId, kind, source, owner, sizes } of fresh) {
        if (kind !== 'video') continue;
        pictures.set(consumerId, {
          ...{ consumerId, producerId, source, owner, layer: null, begunAtMs: null },
          sizes: told.get(producerId) ?? sizes,
        });
        wishes.begin(consumerId, { isPaused: true, layer: null });
      }
      settle();
    },
    /** The first packets of a picture are here. */
    begun(consumerId: string): void {
      const picture = pictures.get(consumerId);
      if (!picture) return;
      picture.begunAtMs = clock.now();
      const cancel = clock.after(firstPictureMs, () => {
        cancels.delete(cancel);
        settle();
      });
      cancels.add(cancel);
    },
    drop(consumerId: string): void {
      pictures.delete(consumerId);
      wishes.forget(consumerId);
      settle();
    },
    /** The layers of a picture are of other sizes than was told before. */
    resize(producerId: string, sizes: readonly LayerSize[]): void {
      told.delete(producerId);
      told.set(producerId, sizes);
      const [oldest] = told.keys();
      if (told.size > sizesToldMax && oldest !== undefined) told.delete(oldest);
      for (const picture of pictures.values()) {
        if (picture.producerId === producerId) picture.sizes = sizes;
      }
      onViewing();
    },
    /** Whether anything of them is wanted now. */
    get isAnyWanted(): boolean {
      return [...pictures.values()].some((picture) => !isPaused(picture));
    },
    /** The sizes of the host's picture that is shown; empty while they are not known. */
    get hostSizes(): readonly LayerSize[] {
      const host = [...pictures.values()].filter(({ owner }) => owner.isHost);
      return host.find((picture) => !isCovered(picture))?.sizes ?? [];
    },
    close(): void {
      for (const stop of [...stops, ...cancels]) stop();
      wishes.close();
    },
  };
}
