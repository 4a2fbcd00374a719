// What a <video> in a page really shows: frames that go on, sound that is heard.
import type { Page } from 'playwright';

const player = '[data-testid="player"]';

/** What is needed of a page, whichever driver it is of. */
export interface WatchedPage {
  evaluate<Options, Answer>(
    work: (options: Options) => Promise<Answer>,
    options: Options,
  ): Promise<Answer>;
}

/** The player that shows moving pictures by this transport. */
export const playingBy = (transport: 'webrtc' | 'hls') =>
  `${player}[data-transport="${transport}"][data-state="playing"]`;

/** Resolves when the player shows moving pictures by this transport. */
export async function untilPlaying(
  page: Page,
  transport: 'webrtc' | 'hls',
  timeoutMs = 40_000,
): Promise<void> {
  await page.waitForSelector(playingBy(transport), { state: 'attached', timeout: timeoutMs });
  await framesAdvance(page, 15, timeoutMs);
}

/** Resolves when so many new frames have been presented. */
export async function framesAdvance(
  page: WatchedPage,
  frames: number,
  timeoutMs = 20_000,
): Promise<void> {
  await page.evaluate(
    async ({ selector, frames, timeoutMs }) => {
      const deadline = performance.now() + timeoutMs;
      for (let seen = 0; seen < frames; seen += 1) {
        const shown = await new Promise<boolean>((resolve) => {
          const timer = setTimeout(() => resolve(false), deadline - performance.now());
          // The player may have swapped its element; it is looked up for every frame.
          document
            .querySelector<HTMLVideoElement>(`video${selector}, ${selector} video`)
            ?.requestVideoFrameCallback(() => {
              clearTimeout(timer);
              resolve(true);
            });
        });
        if (!shown) throw new Error(`${seen} of ${frames} frames in time`);
      }
    },
    { selector: player, frames, timeoutMs },
  );
}

/** Resolves when the player has played on for so long. */
export async function playsOn(page: Page, seconds: number, timeoutMs = 20_000): Promise<void> {
  const video = await page.waitForSelector(`video${player}, ${player} video`);
  const from = await video.evaluate((element) => (element as HTMLVideoElement).currentTime);
  await page.waitForFunction(
    ({ element, until }) => (element as HTMLVideoElement).currentTime >= until,
    { element: video, until: from + seconds },
    { timeout: timeoutMs },
  );
}

/** Resolves when the sound of the player has energy; throws when it stays silent. */
export async function soundArrives(page: WatchedPage, timeoutMs = 15_000): Promise<void> {
  await page.evaluate(
    async ({ selector, timeoutMs }) => {
      const deadline = performance.now() + timeoutMs;
      const video = document.querySelector<HTMLVideoElement & { captureStream(): MediaStream }>(
        `video${selector}, ${selector} video`,
      );
      if (!video) throw new Error('no video');
      async function until(isSo: () => boolean, otherwise: string): Promise<void> {
        while (!isSo()) {
          if (performance.now() > deadline) throw new Error(otherwise);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
      const context = new AudioContext();
      await context.resume();
      const stream = video.captureStream();
      const analyser = context.createAnalyser();
      await until(() => stream.getAudioTracks().length > 0, 'no sound came');
      context.createMediaStreamSource(new MediaStream(stream.getAudioTracks())).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      await until(() => {
        analyser.getFloatTimeDomainData(samples);
        const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
        return Math.sqrt(power) > 0.01;
      }, 'what came is silent');
      await context.close();
    },
    { selector: player, timeoutMs },
  );
}

/** Watches from now on for how long the picture stands still. The answer tells the longest time so far, in milliseconds. */
export async function watchForGaps(page: WatchedPage): Promise<() => Promise<number>> {
  const name = 'pictureGaps';
  await page.evaluate(async (name) => {
    const video = document.querySelector('video');
    if (!video) throw new Error('there is no video on this page');
    const gaps = { longestMs: 0, frameAtMs: performance.now() };
    Reflect.set(window, name, gaps);
    const onFrame = () => {
      const nowMs = performance.now();
      gaps.longestMs = Math.max(gaps.longestMs, nowMs - gaps.frameAtMs);
      gaps.frameAtMs = nowMs;
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  }, name);
  return () =>
    page.evaluate(async (name) => {
      const gaps = Reflect.get(window, name) as { longestMs: number; frameAtMs: number };
      return Math.max(gaps.longestMs, performance.now() - gaps.frameAtMs);
    }, name);
}
