// Layer demand: up to which layer each picture is wanted, over all who watch it, so that its publisher sends no more.

/** Layers that nobody wants any more are still sent for so long: sizes change, and people come back. */
export const loweringDelayMs = 5_000;

export type LayerDemand = ReturnType<typeof createLayerDemand>;

interface Picture {
  topLayer: number;
  wishes: Map<string, number>;
  told: number;
  lowering: NodeJS.Timeout | null;
}

/**
 * `tell` says up to which layer a picture is wanted from now on: at once when it is more than before, a while later when
 * it is less. The smallest one always is wanted, so that whoever comes sees something at once.
 */
export function createLayerDemand(tell: (producerId: string, layer: number) => void) {
  const pictures = new Map<string, Picture>();

  const topOf = ({ wishes, topLayer }: Picture) =>
    Math.min(topLayer, Math.max(0, ...wishes.values()));

  function calm(picture: Picture): void {
    if (picture.lowering) clearTimeout(picture.lowering);
    picture.lowering = null;
  }

  function settle(producerId: string, picture: Picture): void {
    const top = topOf(picture);
    if (top >= picture.told) {
      calm(picture);
      if (top === picture.told) return;
      picture.told = top;
      tell(producerId, top);
      return;
    }
    picture.lowering ??= setTimeout(() => {
      picture.lowering = null;
      const lower = topOf(picture);
      if (lower >= picture.told) return;
      picture.told = lower;
      tell(producerId, lower);
    }, loweringDelayMs);
  }

  return {
    /** A picture with layers up to `topLayer`, all of which are sent until somebody says otherwise. */
    begin(producerId: string, topLayer: number): void {
      const picture: Picture = {
        topLayer,
        wishes: new Map(),
        told: topLayer,
        lowering: null,
      };
      pictures.set(producerId, picture);
      settle(producerId, picture);
    },
    /** `who` wants the picture up to this layer, counted from the smallest. */
    want(producerId: string, who: string, layer: number): void {
      const picture = pictures.get(producerId);
      if (!picture) return;
      picture.wishes.set(who, layer);
      settle(producerId, picture);
    },
    /** Who does not want it any more. */
    drop(producerId: string, who: string): void {
      const picture = pictures.get(producerId);
      if (picture?.wishes.delete(who)) settle(producerId, picture);
    },
    /** The picture has ended. */
    forget(producerId: string): void {
      const picture = pictures.get(producerId);
      if (picture) calm(picture);
      pictures.delete(producerId);
    },
    close(): void {
      for (const picture of pictures.values()) calm(picture);
      pictures.clear();
    },
  };
}
