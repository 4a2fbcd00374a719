// The sound desk: measures how loud the microphone is, and mixes it with the sound of a shared screen.
import { type ReadonlySignal, signal } from '@preact/signals';
import { type Clock, repeat } from '../models/clock.ts';

export const meterIntervalMs = 80;
/** The quietest level that the meter shows, in decibels below full scale. */
export const meterFloorDb = -60;
const fftSize = 1024;

export type Meter = {
  /** 0 is silence, 1 is full scale. */
  level: ReadonlySignal<number>;
  close(): void;
};

function loudnessOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const db = 20 * Math.log10(Math.sqrt(sum / samples.length) || Number.MIN_VALUE);
  return Math.min(1, Math.max(0, 1 - db / meterFloorDb));
}

export function createMeter(track: MediaStreamTrack, clock: Clock): Meter {
  const level = signal(0);
  const context = new AudioContext();
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = fftSize;
  source.connect(analyser);
  const samples = new Float32Array(fftSize);
  const stop = repeat(clock, meterIntervalMs, () => {
    // Browsers start sound asleep until the person has touched the page.
    if (context.state === 'suspended') return context.resume();
    analyser.getFloatTimeDomainData(samples);
    level.value = loudnessOf(samples);
    return undefined;
  });
  return {
    level,
    close() {
      stop();
      source.disconnect();
      context.close();
    },
  };
}

export type Mix = { track: MediaStreamTrack; close(): void };

/** One track with the sound of all; null when the browser makes none of them. */
export function mixSounds(tracks: readonly MediaStreamTrack[]): Mix | null {
  const context = new AudioContext();
  const destination = context.createMediaStreamDestination();
  for (const track of tracks) {
    context.createMediaStreamSource(new MediaStream([track])).connect(destination);
  }
  const [track] = destination.stream.getAudioTracks();
  if (!track) return null;
  return {
    track,
    close() {
      track.stop();
      context.close();
    },
  };
}
