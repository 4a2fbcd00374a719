// Frames as a page shows them, and what the connections of a page say of those that were sent.
import type { Page } from 'playwright';

export interface FramesShown {
  /** Presented since they were begun to be counted, over so many milliseconds. */
  frames: number;
  ms: number;
  /** The longest time without one, the time since the newest one included. */
  longestGapMs: number;
  /** How long they have come without a gap of `gapMsMin`. */
  steadyMs: number;
}

interface Counted {
  beganAtMs: number;
  first: number | null;
  newest: number;
  newestAtMs: number;
  longestGapMs: number;
  steadyFromMs: number;
}

/** Counts the frames of the page's video from now on; called again it begins anew. */
export async function countFrames(page: Page, gapMsMin: number): Promise<void> {
  await page.evaluate((gapMsMin) => {
    const video = document.querySelector('video');
    if (!video) throw new Error('there is no video on this page');
    const nowMs = performance.now();
    const counted: Counted = {
      beganAtMs: nowMs,
      first: null,
      newest: 0,
      newestAtMs: nowMs,
      longestGapMs: 0,
      steadyFromMs: nowMs,
    };
    Reflect.set(window, 'countedFrames', counted);
    const onFrame = (atMs: number, { presentedFrames }: VideoFrameCallbackMetadata) => {
      if (Reflect.get(window, 'countedFrames') !== counted) return;
      const gapMs = atMs - counted.newestAtMs;
      if (gapMs >= gapMsMin) counted.steadyFromMs = atMs;
      counted.longestGapMs = Math.max(counted.longestGapMs, gapMs);
      counted.first ??= presentedFrames;
      counted.newest = presentedFrames;
      counted.newestAtMs = atMs;
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  }, gapMsMin);
}

export async function framesShown(page: Page): Promise<FramesShown> {
  return page.evaluate(() => {
    const counted = Reflect.get(window, 'countedFrames') as Counted;
    const nowMs = performance.now();
    const isSilent = nowMs - counted.newestAtMs > 500;
    return {
      frames: counted.newest - (counted.first ?? counted.newest),
      ms: Math.round(nowMs - counted.beganAtMs),
      longestGapMs: Math.round(Math.max(counted.longestGapMs, nowMs - counted.newestAtMs)),
      steadyMs: isSilent ? 0 : Math.round(counted.newestAtMs - counted.steadyFromMs),
    };
  });
}

/** The greatest value of a figure in the statistics of the page's connections, over streams of a picture. */
export async function pictureFigure(
  page: Page,
  type: 'inbound-rtp' | 'outbound-rtp',
  name: string,
): Promise<number> {
  return page.evaluate(
    async ({ type, name }) => {
      const { connections } = Reflect.get(window, 'watchedPaths') as {
        connections: RTCPeerConnection[];
      };
      let greatest = 0;
      for (const connection of connections) {
        if (connection.connectionState === 'closed') continue;
        const reports = (await connection.getStats()) as ReadonlyMap<
          string,
          Record<string, unknown>
        >;
        for (const report of reports.values()) {
          if (report.type !== type || report.kind !== 'video') continue;
          greatest = Math.max(greatest, Number(report[name] ?? 0));
        }
      }
      return greatest;
    },
    { type, name },
  );
}
