// The surface: the one video element of the player, its sound, its first tap and its full screen.
import { type Signal, signal } from '@preact/signals';
import { type Clock, repeat } from '../models/clock.ts';

export const motionCheckMs = 500;
/** A picture that has not changed for so long is standing still. */
export const stillAfterMs = 1_500;

export type Surface = {
  readonly video: HTMLVideoElement;
  /** True while new pictures appear. */
  readonly moving: Signal<boolean>;
  readonly heightPixels: Signal<number>;
  readonly muted: Signal<boolean>;
  /** 0 to 1. */
  readonly volume: Signal<number>;
  /** The browser lets pictures play but no sound until the person taps. */
  readonly needsTap: Signal<boolean>;
  readonly fullscreen: Signal<boolean>;
  readonly inPicture: Signal<boolean>;
  readonly canPictureInPicture: boolean;
  showStream(stream: MediaStream): void;
  clear(): void;
  /** Keeps the last picture in sight until new ones move. */
  freeze(): void;
  play(): Promise<void>;
  tap(): void;
  setVolume(volume: number): void;
  toggleMute(): void;
  toggleFullscreen(): void;
  togglePictureInPicture(): void;
  close(): void;
};

/** Safari on phones knows full screen for the video alone. */
type WithNativeFullscreen = HTMLVideoElement & { webkitEnterFullscreen?: () => void };

/**
 * Counts pictures: by the element's own figure, which neither a tab switch nor a stall can hide. Firefox keeps none of a
 * live stream, so one frame is waited for with each look as well.
 */
function countFrames(video: HTMLVideoElement) {
  let seen = 0;
  let awaited: number | null = null;
  return {
    look(): number {
      awaited ??= video.requestVideoFrameCallback(() => {
        awaited = null;
        seen += 1;
      });
      return video.getVideoPlaybackQuality().totalVideoFrames + seen;
    },
    stop(): void {
      if (awaited !== null) video.cancelVideoFrameCallback(awaited);
    },
  };
}

/** Says whether pictures move. */
function watchMotion(video: HTMLVideoElement, clock: Clock) {
  const moving = signal(false);
  const heightPixels = signal(0);
  const counter = countFrames(video);
  let frames = 0;
  let changedAtMs = 0;
  function look(): void {
    const now = counter.look();
    if (now !== frames && now > 0) changedAtMs = clock.now();
    frames = now;
    heightPixels.value = video.videoHeight;
    // A hidden page paints nothing, which is no fault of the stream.
    if (document.hidden) return;
    moving.value = changedAtMs > 0 && clock.now() - changedAtMs < stillAfterMs;
  }
  function started(): void {
    changedAtMs = clock.now();
    moving.value = true;
  }
  /** What was paused while nobody looked has as long to go on as any other picture. */
  function returned(): void {
    if (!document.hidden && moving.peek()) changedAtMs = clock.now();
  }
  video.addEventListener('playing', started);
  document.addEventListener('visibilitychange', returned);
  const stop = repeat(clock, motionCheckMs, look);
  return {
    moving,
    heightPixels,
    /** The source changes: only what it shows from now on counts. */
    reset(): void {
      frames = counter.look();
      changedAtMs = 0;
      moving.value = false;
    },
    stop(): void {
      stop();
      counter.stop();
      video.removeEventListener('playing', started);
      document.removeEventListener('visibilitychange', returned);
    },
  };
}

function createSound(video: HTMLVideoElement) {
  const muted = signal(video.muted);
  const volume = signal(video.volume);
  const needsTap = signal(false);

  function follow(): void {
    muted.value = video.muted;
    volume.value = video.volume;
    if (!video.muted) needsTap.value = false;
  }
  video.addEventListener('volumechange', follow);

  async function play(): Promise<void> {
    try {
      await video.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return;
      // Sound needs a tap; pictures need not wait for it.
      video.muted = true;
      needsTap.value = true;
      await video.play().catch(() => {
        // Not even a silent picture may start: the tap starts both.
      });
    }
  }

  function tap(): void {
    needsTap.value = false;
    video.muted = false;
    if (video.volume === 0) video.volume = 1;
    video.play().catch(() => {
      needsTap.value = true;
    });
  }

  return {
    muted,
    volume,
    needsTap,
    play,
    tap,
    stop: () => video.removeEventListener('volumechange', follow),
  };
}

function createScreens(video: WithNativeFullscreen, frame: HTMLElement) {
  const fullscreen = signal(false);
  const inPicture = signal(false);
  const life = new AbortController();
  const { signal: until } = life;
  document.addEventListener(
    'fullscreenchange',
    () => {
      fullscreen.value = document.fullscreenElement === frame;
    },
    { signal: until },
  );
  video.addEventListener('enterpictureinpicture', () => (inPicture.value = true), {
    signal: until,
  });
  video.addEventListener('leavepictureinpicture', () => (inPicture.value = false), {
    signal: until,
  });
  /** A browser that refuses leaves everything as it was, which is all that can be done. */
  const quietly = (work: Promise<unknown>) => void work.catch(() => {});
  return {
    fullscreen,
    inPicture,
    stop: () => life.abort(),
    toggleFullscreen(): void {
      if (document.fullscreenElement) quietly(document.exitFullscreen());
      else if (frame.requestFullscreen) quietly(frame.requestFullscreen());
      else video.webkitEnterFullscreen?.();
    },
    togglePictureInPicture(): void {
      if (document.pictureInPictureElement) quietly(document.exitPictureInPicture());
      else quietly(video.requestPictureInPicture());
    },
  };
}

/** Copies the last picture onto a canvas that covers the video while its source changes. */
function freezeOnto(still: HTMLCanvasElement, video: HTMLVideoElement): void {
  if (video.videoWidth === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
  still.width = video.videoWidth;
  still.height = video.videoHeight;
  still.getContext('2d')?.drawImage(video, 0, 0);
  still.hidden = false;
}

/** The elements of the player in the page; `frame` is what goes full screen. */
export type SurfaceElements = {
  video: HTMLVideoElement;
  frame: HTMLElement;
  still: HTMLCanvasElement;
};

export function createSurface({ video, frame, still }: SurfaceElements, clock: Clock): Surface {
  const motion = watchMotion(video, clock);
  const sound = createSound(video);
  const screens = createScreens(video, frame);
  const stopThawing = motion.moving.subscribe((isMoving) => {
    if (isMoving) still.hidden = true;
  });

  return {
    video,
    moving: motion.moving,
    heightPixels: motion.heightPixels,
    muted: sound.muted,
    volume: sound.volume,
    needsTap: sound.needsTap,
    fullscreen: screens.fullscreen,
    inPicture: screens.inPicture,
    canPictureInPicture: document.pictureInPictureEnabled === true,
    showStream(stream): void {
      if (video.srcObject !== stream) video.srcObject = stream;
      sound.play();
    },
    clear(): void {
      video.srcObject = null;
      motion.reset();
    },
    freeze(): void {
      freezeOnto(still, video);
      motion.reset();
    },
    play: sound.play,
    tap: sound.tap,
    setVolume(volume): void {
      video.volume = volume;
      video.muted = volume === 0;
    },
    toggleMute(): void {
      if (video.muted) sound.tap();
      else video.muted = true;
    },
    toggleFullscreen: screens.toggleFullscreen,
    togglePictureInPicture: screens.togglePictureInPicture,
    close(): void {
      motion.stop();
      stopThawing();
      sound.stop();
      screens.stop();
      video.srcObject = null;
    },
  };
}
