// The capture desk: which camera, microphone and screen are on, and what of them is sent.
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Capture, Captured, CaptureFault, DeviceList, PictureSize } from '../media/capture.ts';
import type { LadderName } from '../media/ladders.ts';
import type { PictureCodec } from '../media/picture-codecs.ts';
import type { Meter, Mix } from '../media/sound-desk.ts';
import type { Cancel, Clock } from './clock.ts';

export type CaptureDeskDeps = {
  capture: Capture;
  sizes: Record<LadderName, PictureSize>;
  createMeter(track: MediaStreamTrack, clock: Clock): Meter;
  mixSounds(tracks: readonly MediaStreamTrack[]): Mix | null;
  clock: Clock;
};

type Track = MediaStreamTrack | null;
const nothing: Captured = { video: null, audio: null };

function stopAll({ video, audio }: Captured): void {
  video?.stop();
  audio?.stop();
}

/** The sound that goes out: the microphone, or a mix with the sound of the shared screen. */
function createSoundOut(deps: CaptureDeskDeps) {
  const out = signal<Track>(null);
  const level = signal(0);
  let meter: Meter | null = null;
  let stopFollowing: Cancel = () => {};
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
      level.value = 0;
      meter = microphone ? deps.createMeter(microphone, deps.clock) : null;
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

export class CaptureDesk {
  readonly cameraId = signal<string | null>(null);
  readonly microphoneId = signal<string | null>(null);
  readonly ladder = signal<LadderName>('720p30');
  readonly codec = signal<PictureCodec>('compatible');
  readonly devices = signal<DeviceList>({ cameras: [], microphones: [] });
  readonly fault = signal<CaptureFault | null>(null);
  readonly opening = signal(false);
  readonly microphoneOn = signal(true);
  readonly cameraOn = signal(true);
  readonly #deps: CaptureDeskDeps;
  readonly #camera = signal<Track>(null);
  readonly #microphone = signal<Track>(null);
  readonly #screen = signal<Captured>(nothing);
  readonly #sound: ReturnType<typeof createSoundOut>;
  readonly #stopHearing: Cancel;
  /** Grows with every order given to the camera, and to the microphone: the newest holds. */
  #cameraOrder = 0;
  #microphoneOrder = 0;
  #resting = false;
  #closed = false;

  /** What the viewers see. */
  readonly videoOut = computed<Track>(() => this.#screen.value.video ?? this.#camera.value);
  readonly sharing = computed(() => this.#screen.value.video !== null);

  private constructor(deps: CaptureDeskDeps) {
    this.#deps = deps;
    this.#sound = createSoundOut(deps);
    this.#stopHearing = deps.capture.onDevicesChanged(() => void this.#refreshDevices());
  }

  static create(deps: CaptureDeskDeps): CaptureDesk {
    return new CaptureDesk(deps);
  }

  /** What the viewers hear. */
  get audioOut(): ReadonlySignal<Track> {
    return this.#sound.out;
  }

  /** Loudness of the microphone, 0 to 1. */
  get level(): ReadonlySignal<number> {
    return this.#sound.level;
  }

  open(): Promise<void> {
    return this.#guarded(async () => {
      this.#cameraOrder += 1;
      this.#microphoneOrder += 1;
      this.#resting = false;
      const captured = await this.#openWhatThereIs();
      if (this.#closed || this.#resting) return stopAll(captured);
      batch(() => {
        this.#put(this.#camera, captured.video);
        this.#put(this.#microphone, captured.audio);
      });
      this.#arrangeSound();
      await this.#refreshDevices();
    });
  }

  /** Gives the devices back, to whoever else on this machine wants them, until it is opened again. */
  rest(): void {
    this.#resting = true;
    this.#cameraOrder += 1;
    this.#microphoneOrder += 1;
    batch(() => {
      this.#put(this.#camera, null);
      this.#put(this.#microphone, null);
    });
    this.stopScreen();
    this.fault.value = null;
  }

  pickCamera(id: string): Promise<void> {
    this.cameraId.value = id;
    return this.#reopenCamera();
  }

  pickLadder(name: LadderName): Promise<void> {
    this.ladder.value = name;
    return this.#reopenCamera();
  }

  pickMicrophone(id: string): Promise<void> {
    this.microphoneId.value = id;
    this.#microphoneOrder += 1;
    const order = this.#microphoneOrder;
    return this.#guarded(async () => {
      const captured = await this.#deps.capture.openMicrophone(id);
      if (this.#closed || order !== this.#microphoneOrder) return stopAll(captured);
      this.#put(this.#microphone, captured.audio);
      this.#arrangeSound();
    });
  }

  toggleMicrophone(): void {
    this.microphoneOn.value = !this.microphoneOn.peek();
    const track = this.#microphone.peek();
    if (track) track.enabled = this.microphoneOn.peek();
  }

  toggleCamera(): void {
    this.cameraOn.value = !this.cameraOn.peek();
    const track = this.#camera.peek();
    if (track) track.enabled = this.cameraOn.peek();
  }

  async shareScreen(): Promise<void> {
    let captured: Captured;
    try {
      captured = await this.#deps.capture.openScreen(this.#size());
    } catch {
      // The person closed the browser's own dialogue: nothing has happened.
      return;
    }
    if (this.#closed) return stopAll(captured);
    captured.video?.addEventListener('ended', () => this.stopScreen());
    stopAll(this.#screen.peek());
    this.#screen.value = captured;
    this.#arrangeSound();
  }

  stopScreen(): void {
    stopAll(this.#screen.peek());
    this.#screen.value = nothing;
    this.#arrangeSound();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopHearing();
    this.#sound.close();
    stopAll({ video: this.#camera.peek(), audio: this.#microphone.peek() });
    stopAll(this.#screen.peek());
  }

  #size(): PictureSize {
    return this.#deps.sizes[this.ladder.peek()];
  }

  #put(place: Signal<Track>, track: Track): void {
    const before = place.peek();
    if (before !== track) before?.stop();
    // What was switched off stays off, whatever device comes: nobody is seen or heard unasked.
    if (track) track.enabled = (place === this.#camera ? this.cameraOn : this.microphoneOn).peek();
    place.value = track;
    track?.addEventListener('ended', () => {
      // Unplugged, or taken away by the system: whatever else there is takes its place.
      if (place.peek() === track && !this.#closed) this.open();
    });
  }

  #arrangeSound(): void {
    const track = this.#microphone.peek();
    this.#sound.set(track, this.#screen.peek().audio);
    this.#sound.listenTo(track);
  }

  #reopenCamera(): Promise<void> {
    this.#cameraOrder += 1;
    const order = this.#cameraOrder;
    const isOver = () => this.#closed || order !== this.#cameraOrder;
    return this.#guarded(async () => {
      // Many cameras serve one user at a time: the old picture goes first.
      this.#camera.peek()?.stop();
      try {
        const captured = await this.#deps.capture.openCamera(this.cameraId.peek(), this.#size());
        if (isOver()) return stopAll(captured);
        this.#put(this.#camera, captured.video);
      } catch (error) {
        if (isOver()) return;
        this.#put(this.#camera, null);
        throw error;
      }
    });
  }

  async #refreshDevices(): Promise<void> {
    this.devices.value = await this.#deps.capture.listDevices();
  }

  /** A machine without a camera can still talk, and one without a microphone can still show. */
  async #openWhatThereIs(): Promise<Captured> {
    const { capture } = this.#deps;
    const [cameraId, microphoneId] = [this.cameraId.peek(), this.microphoneId.peek()];
    const size = this.#size();
    try {
      return await capture.openBoth(cameraId, microphoneId, size);
    } catch (error) {
      if (capture.captureFaultOf(error) !== 'missing') throw error;
    }
    const [video, audio] = await Promise.allSettled([
      capture.openCamera(cameraId, size),
      capture.openMicrophone(microphoneId),
    ]);
    if (video.status === 'rejected' && audio.status === 'rejected') throw video.reason;
    return {
      video: video.status === 'fulfilled' ? video.value.video : null,
      audio: audio.status === 'fulfilled' ? audio.value.audio : null,
    };
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    this.opening.value = true;
    try {
      await work();
      this.fault.value = null;
    } catch (error) {
      this.fault.value = this.#deps.capture.captureFaultOf(error);
    } finally {
      this.opening.value = false;
    }
  }
}
