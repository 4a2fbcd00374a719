// The pixel clock: a camera that paints the time as black and white blocks, and a reader of it from a <video>.
// What is between the two is the delay from glass to glass, whatever carried the picture.
import type { Page } from 'playwright';

/** Bits of the clock in milliseconds: it wraps every 17 minutes, far beyond any delay. */
const timeBits = 20;
/** The time's bits in groups of four are added up, so that a torn or blurred frame is thrown away. */
const checkBits = 4;
const columns = 8;
const rows = 3;
const wrapMs = 2 ** timeBits;

export interface ClockOptions {
  width: number;
  height: number;
  framesPerSecond: number;
  /** So many specks fall on each frame: a picture that takes bits. Too many of them hide the clock. */
  specks?: number;
}

/** From the next navigation on, the page's camera is the clock and its microphone a steady tone. */
export async function installClockCamera(page: Page, options: ClockOptions): Promise<void> {
  await page.addInitScript(
    ({ width, height, framesPerSecond, specks = 0, timeBits, checkBits, columns, rows }) => {
      const canvas = document.createElement('canvas');
      canvas.width = width;
      canvas.height = height;
      const context = canvas.getContext('2d', { alpha: false });
      if (!context) throw new Error('no canvas');
      const cellWidth = width / columns;
      const cellHeight = height / rows;

      function paint(): void {
        if (!context) return;
        const time = Date.now() % 2 ** timeBits;
        let check = 0;
        for (let rest = time; rest > 0; rest = Math.floor(rest / 16)) check += rest % 16;
        const word = time + (check % 2 ** checkBits) * 2 ** timeBits;
        for (let bit = 0; bit < columns * rows; bit += 1) {
          context.fillStyle = Math.floor(word / 2 ** bit) % 2 === 1 ? '#fff' : '#000';
          const x = (bit % columns) * cellWidth;
          const y = Math.floor(bit / columns) * cellHeight;
          context.fillRect(x, y, cellWidth, cellHeight);
        }
        for (let speck = 0; speck < specks; speck += 1) {
          context.fillStyle = `hsl(${Math.random() * 360} 80% 50%)`;
          context.fillRect(Math.random() * width, Math.random() * height, 12, 12);
        }
      }

      function clockTrack(): MediaStreamTrack | undefined {
        paint();
        setInterval(paint, 1000 / framesPerSecond);
        return canvas.captureStream(framesPerSecond).getVideoTracks()[0];
      }

      function toneTrack(): MediaStreamTrack | undefined {
        const audio = new AudioContext();
        const tone = audio.createOscillator();
        const volume = audio.createGain();
        volume.gain.value = 0.3;
        const out = audio.createMediaStreamDestination();
        tone.connect(volume).connect(out);
        tone.start();
        return out.stream.getAudioTracks()[0];
      }

      navigator.mediaDevices.getUserMedia = async (constraints) => {
        const tracks = [
          constraints?.video ? clockTrack() : undefined,
          constraints?.audio ? toneTrack() : undefined,
        ];
        return new MediaStream(tracks.filter((track) => track !== undefined));
      };
    },
    { ...options, timeBits, checkBits, columns, rows },
  );
}

export interface DelaySamples {
  delaysMs: number[];
  /** Frames that were shown but could not be read: torn between two times, or blurred. */
  unreadable: number;
}

/** Reads the clock from frames as they are presented, until there are `samples` of them. */
export async function readDelays(
  page: Page,
  selector: string,
  options: { samples: number; timeoutMs: number },
): Promise<DelaySamples> {
  return page.evaluate(
    async ({ selector, samples, timeoutMs, timeBits, checkBits, columns, rows, wrapMs }) => {
      const video = document.querySelector<HTMLVideoElement>(selector);
      if (!video) throw new Error(`no ${selector}`);
      const cell = 4;
      const canvas = document.createElement('canvas');
      canvas.width = columns * cell;
      canvas.height = rows * cell;
      const context = canvas.getContext('2d', { willReadFrequently: true });
      if (!context) throw new Error('no canvas');

      function readClock(): number | null {
        if (!video || !context) return null;
        context.drawImage(video, 0, 0, canvas.width, canvas.height);
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        let word = 0;
        for (let bit = 0; bit < columns * rows; bit += 1) {
          const x = (bit % columns) * cell + cell / 2;
          const y = Math.floor(bit / columns) * cell + cell / 2;
          const level = data[(y * canvas.width + x) * 4] ?? 0;
          if (level > 80 && level < 176) return null;
          if (level >= 176) word += 2 ** bit;
        }
        const time = word % 2 ** timeBits;
        let check = 0;
        for (let rest = time; rest > 0; rest = Math.floor(rest / 16)) check += rest % 16;
        return Math.floor(word / 2 ** timeBits) === check % 2 ** checkBits ? time : null;
      }

      const delaysMs: number[] = [];
      let unreadable = 0;
      const deadline = performance.now() + timeoutMs;
      while (delaysMs.length < samples) {
        const shown = await new Promise<boolean>((resolve) => {
          const timer = setTimeout(() => resolve(false), deadline - performance.now());
          video.requestVideoFrameCallback(() => {
            clearTimeout(timer);
            resolve(true);
          });
        });
        if (!shown) throw new Error(`${delaysMs.length} of ${samples} frames in time`);
        const now = Date.now() % wrapMs;
        const painted = readClock();
        if (painted === null) unreadable += 1;
        else delaysMs.push((now - painted + wrapMs) % wrapMs);
      }
      return { delaysMs, unreadable };
    },
    { selector, ...options, timeBits, checkBits, columns, rows, wrapMs },
  );
}

/** The value below which `share` of the samples lie. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const index = Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1);
  return sorted[Math.max(0, index)] ?? Number.NaN;
}
