// The capture desk: which camera, microphone and screen are on, and what of them is sent.
import { batch, computed, type ReadonlySignal, signal } from '@preact/signals';
import type { Captured, CaptureFault, DeviceList, PictureSize } from '../media/capture.ts';
import type { LadderName } from '../media/ladders.ts';
import type { Meter, Mix } from '../media/sound-desk.ts';
import type { Clock } from './clock.ts';

export type CaptureDeskDeps = {
  capture: {
    openBoth(
      cameraId: string | null,
      microphoneId: string | null,
      size: PictureSize,
    ): Promise<Captured>;
    openCamera(deviceId: string | null, size: PictureSize): Promise<Captured>;
    openMicrophone(deviceId: string | null): Promise<Captured>;
    openScreen(size: PictureSize): Promise<Captured>;
    listDevices(): Promise<DeviceList>;
    onDevicesChanged(hear: () => void): () => void;
    captureFaultOf(error: unknown): CaptureFault;
  };
  sizes: Record<LadderName, PictureSize>;
  createMeter(track: MediaStreamTrack, clock: Clock): Meter;
  mixSounds(tracks: readonly MediaStreamTrack[]): Mix | null;
  clock: Clock;
};

type Track = MediaStreamTrack | null;

/** The sound that goes out: the microphone, or a mix with the sound of the shared screen. */
function createSoundOut(deps: CaptureDeskDeps) {
  const out = signal<Track>(null);
  const level = signal(0);
  let meter: Meter | null = null;
  let stopFollowing = () => {};
  let mix: Mix | null = null;

  return {
    out: out as ReadonlySignal<Track>,
    level: level as ReadonlySignal<number>,
    set(microphone: Track, screenSound: Track): void {
      const both = microphone && screenSound ? deps.mixSounds([microphone, screenSound]) : null;
      out.value = both?.track ?? microphone ?? screenSound;
      mix?.close();
      mix = both;
    },
    listenTo(microphone: Track): void {
      stopFollowing();
      meter?.close();
      meter = microphone ? deps.createMeter(microphone, deps.clock) : null;
      level.value = 0;
      stopFollowing =
        meter?.level.subscribe((now) => {
          level.value = now;
        }) ?? (() => {});
    },
    close(): void {
      stopFollowing();
      meter?.close();
      mix?.close();
    },
  };
}

export function createCaptureDesk(deps: CaptureDeskDeps) {
  const { capture, sizes } = deps;
  const cameraId = signal<string | null>(null);
  const microphoneId = signal<string | null>(null);
  const ladder = signal<LadderName>('720p30');
  const devices = signal<DeviceList>({ cameras: [], microphones: [] });
  const fault = signal<CaptureFault | null>(null);
  const opening = signal(false);
  const camera = signal<Track>(null);
  const microphone = signal<Track>(null);
  const screen = signal<Captured>({ video: null, audio: null });
  const microphoneOn = signal(true);
  const cameraOn = signal(true);
  const sound = createSoundOut(deps);
  let closed = false;

  function put(place: typeof camera, track: Track): void {
    const before = place.peek();
    if (before !== track) before?.stop();
    place.value = track;
    track?.addEventListener('ended', () => {
      // Unplugged, or taken away by the system: whatever else there is takes its place.
      if (place.peek() === track && !closed) open();
    });
  }

  function arrangeSound(): void {
    const track = microphone.peek();
    if (track) track.enabled = microphoneOn.peek();
    sound.set(track, screen.peek().audio);
    sound.listenTo(track);
  }

  async function refreshDevices(): Promise<void> {
    devices.value = await capture.listDevices();
  }

  /** A machine without a camera can still talk, and one without a microphone can still show. */
  async function openWhatThereIs(): Promise<Captured> {
    const size = sizes[ladder.peek()];
    try {
      return await capture.openBoth(cameraId.peek(), microphoneId.peek(), size);
    } catch (error) {
      if (capture.captureFaultOf(error) !== 'missing') throw error;
    }
    const [video, audio] = await Promise.allSettled([
      capture.openCamera(cameraId.peek(), size),
      capture.openMicrophone(microphoneId.peek()),
    ]);
    if (video.status === 'rejected' && audio.status === 'rejected') throw video.reason;
    return {
      video: video.status === 'fulfilled' ? video.value.video : null,
      audio: audio.status === 'fulfilled' ? audio.value.audio : null,
    };
  }

  async function guarded(work: () => Promise<void>): Promise<void> {
    opening.value = true;
    try {
      await work();
      fault.value = null;
    } catch (error) {
      fault.value = capture.captureFaultOf(error);
    } finally {
      opening.value = false;
    }
  }

  const open = (): Promise<void> =>
    guarded(async () => {
      const captured = await openWhatThereIs();
      if (closed) return stopAll(captured);
      batch(() => {
        put(camera, captured.video);
        put(microphone, captured.audio);
        cameraOn.value = true;
      });
      arrangeSound();
      await refreshDevices();
    });

  const reopenCamera = (): Promise<void> =>
    guarded(async () => {
      // Many cameras serve one user at a time: the old picture goes first.
      camera.peek()?.stop();
      const { video } = await capture.openCamera(cameraId.peek(), sizes[ladder.peek()]);
      put(camera, video);
      if (video) video.enabled = cameraOn.peek();
    });

  const reopenMicrophone = (): Promise<void> =>
    guarded(async () => {
      const { audio } = await capture.openMicrophone(microphoneId.peek());
      put(microphone, audio);
      arrangeSound();
    });

  function stopScreen(): void {
    stopAll(screen.peek());
    screen.value = { video: null, audio: null };
    arrangeSound();
  }

  async function shareScreen(): Promise<void> {
    let captured: Captured;
    try {
      captured = await capture.openScreen(sizes[ladder.peek()]);
    } catch {
      // The person closed the browser's own dialogue: nothing has happened.
      return;
    }
    captured.video?.addEventListener('ended', stopScreen);
    stopAll(screen.peek());
    screen.value = captured;
    arrangeSound();
  }

  const stopHearing = capture.onDevicesChanged(() => void refreshDevices());

  return {
    cameraId,
    microphoneId,
    ladder,
    devices,
    fault,
    opening,
    microphoneOn,
    cameraOn,
    level: sound.level,
    /** What the viewers see. */
    videoOut: computed<Track>(() => screen.value.video ?? camera.value),
    /** What the viewers hear. */
    audioOut: sound.out,
    sharing: computed(() => screen.value.video !== null),
    hasMicrophone: computed(() => microphone.value !== null),
    open,
    shareScreen,
    stopScreen,
    pickCamera(id: string): Promise<void> {
      cameraId.value = id;
      return reopenCamera();
    },
    pickMicrophone(id: string): Promise<void> {
      microphoneId.value = id;
      return reopenMicrophone();
    },
    pickLadder(name: LadderName): Promise<void> {
      ladder.value = name;
      return reopenCamera();
    },
    toggleMicrophone(): void {
      microphoneOn.value = !microphoneOn.peek();
      const track = microphone.peek();
      if (track) track.enabled = microphoneOn.peek();
    },
    toggleCamera(): void {
      cameraOn.value = !cameraOn.peek();
      const track = camera.peek();
      if (track) track.enabled = cameraOn.peek();
    },
    close(): void {
      closed = true;
      stopHearing();
      sound.close();
      stopAll({ video: camera.peek(), audio: microphone.peek() });
      stopAll(screen.peek());
    },
  };
}
export type CaptureDesk = ReturnType<typeof createCaptureDesk>;

function stopAll({ video, audio }: Captured): void {
  video?.stop();
  audio?.stop();
}
