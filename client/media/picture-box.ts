// The picture box: how large a video is shown, in pixels of the device, wherever it is at the moment.
import type { Cancel, Clock } from '../models/clock.ts';
import type { Box } from '../models/layer-choice.ts';

/** Sizes that change without pause, as when a window is dragged, are told once it is over. */
export const boxSettleMs = 250;

/** Tells the size at once, and again after each change. */
export function watchBox(
  video: HTMLVideoElement,
  fit: Box['fit'],
  clock: Clock,
  tell: (box: Box) => void,
): Cancel {
  const life = new AbortController();
  const { signal } = life;
  let floating: PictureInPictureWindow | null = null;
  /** Phones of Apple show a video full screen beside the page. */
  let isNativeFullscreen = false;
  let cancel: Cancel = () => {};

  function measure(): Box {
    const place = floating ?? (isNativeFullscreen ? screen : sizeOf(video));
    const pixels = (length: number) => Math.round(length * devicePixelRatio);
    return { width: pixels(place.width), height: pixels(place.height), fit };
  }
  function changed(): void {
    cancel();
    cancel = clock.after(boxSettleMs, () => tell(measure()));
  }
  function onFloat({ pictureInPictureWindow }: PictureInPictureEvent): void {
    floating = pictureInPictureWindow;
    floating.addEventListener('resize', changed, { signal });
    changed();
  }

  const observer = new ResizeObserver(changed);
  observer.observe(video);
  // Zooming, and another screen.
  addEventListener('resize', changed, { signal });
  video.addEventListener(
    'enterpictureinpicture',
    (event) => onFloat(event as PictureInPictureEvent),
    { signal },
  );
  video.addEventListener(
    'leavepictureinpicture',
    () => {
      floating = null;
      changed();
    },
    { signal },
  );
  for (const [name, begins] of [
    ['webkitbeginfullscreen', true],
    ['webkitendfullscreen', false],
  ] as const) {
    video.addEventListener(
      name,
      () => {
        isNativeFullscreen = begins;
        changed();
      },
      { signal },
    );
  }
  tell(measure());
  return () => {
    cancel();
    observer.disconnect();
    life.abort();
  };
}

const sizeOf = ({ clientWidth, clientHeight }: HTMLElement) => ({
  width: clientWidth,
  height: clientHeight,
});
