// Capture: camera, microphone and screen of this machine, and the words for why one cannot be had.
export type DeviceList = {
  cameras: readonly DeviceChoice[];
  microphones: readonly DeviceChoice[];
};
export type DeviceChoice = { id: string; label: string };

export type CaptureFault = 'denied' | 'missing' | 'busy' | 'insecure' | 'unknown';

export type PictureSize = { width: number; height: number; fps: number };

function captureFaultOf(error: unknown): CaptureFault {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy';
  return navigator.mediaDevices ? 'unknown' : 'insecure';
}

/** The device picked by its id; a device that has gone is replaced by whatever there is. */
function picked(deviceId: string | null): MediaTrackConstraints {
  return deviceId ? { deviceId: { ideal: deviceId } } : {};
}

function pictureOf(deviceId: string | null, size: PictureSize): MediaTrackConstraints {
  return {
    ...picked(deviceId),
    width: { ideal: size.width },
    height: { ideal: size.height },
    frameRate: { ideal: size.fps, max: size.fps },
  };
}

function soundOf(deviceId: string | null): MediaTrackConstraints {
  return {
    ...picked(deviceId),
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
  };
}

export type Captured = { video: MediaStreamTrack | null; audio: MediaStreamTrack | null };

async function take(constraints: MediaStreamConstraints): Promise<Captured> {
  return tracksOf(await navigator.mediaDevices.getUserMedia(constraints));
}

function tracksOf(stream: MediaStream): Captured {
  return {
    video: stream.getVideoTracks()[0] ?? null,
    audio: stream.getAudioTracks()[0] ?? null,
  };
}

const openCamera = (deviceId: string | null, size: PictureSize): Promise<Captured> =>
  take({ video: pictureOf(deviceId, size) });

const openMicrophone = (deviceId: string | null): Promise<Captured> =>
  take({ audio: soundOf(deviceId) });

/** Camera and microphone under one question to the person, as browsers ask once per call. */
const openBoth = (
  cameraId: string | null,
  microphoneId: string | null,
  size: PictureSize,
): Promise<Captured> => take({ video: pictureOf(cameraId, size), audio: soundOf(microphoneId) });

/** A screen, window or tab in the size that is streamed, with its sound where the browser gives it. */
async function openScreen({ width, height, fps }: PictureSize): Promise<Captured> {
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { width: { max: width }, height: { max: height }, frameRate: { ideal: fps, max: fps } },
    audio: true,
  });
  const captured = tracksOf(stream);
  if (captured.video) captured.video.contentHint = 'detail';
  return captured;
}

export const canShareScreen = (): boolean =>
  typeof navigator.mediaDevices?.getDisplayMedia === 'function';

/** What can be picked; labels are empty until the person has allowed a device once. */
async function listDevices(): Promise<DeviceList> {
  const all = await navigator.mediaDevices.enumerateDevices();
  const choices = (kind: MediaDeviceKind, word: string): DeviceChoice[] =>
    all
      .filter((device) => device.kind === kind && device.deviceId !== '')
      .map((device, place) => ({
        id: device.deviceId,
        label: device.label || `${word} ${place + 1}`,
      }));
  return {
    cameras: choices('videoinput', 'Camera'),
    microphones: choices('audioinput', 'Microphone'),
  };
}

/** Calls back when a device is plugged in or out. */
function onDevicesChanged(hear: () => void): () => void {
  navigator.mediaDevices?.addEventListener('devicechange', hear);
  return () => navigator.mediaDevices?.removeEventListener('devicechange', hear);
}

/** What the browser offers, as one thing to hand over. */
export const capture = {
  openBoth,
  openCamera,
  openMicrophone,
  openScreen,
  listDevices,
  onDevicesChanged,
  captureFaultOf,
};
export type Capture = typeof capture;
