import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import type { Capture, Captured } from '../media/capture.ts';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { CaptureDesk } from './capture-desk.ts';

class FakeTrack extends EventTarget {
  readonly label: string;
  enabled = true;
  stopped = false;

  constructor(label: string) {
    super();
    this.label = label;
  }

  stop(): void {
    this.stopped = true;
  }

  /** What the system does when the device is unplugged. */
  unplug(): void {
    this.dispatchEvent(new Event('ended'));
  }
}

const size = { width: 1280, height: 720, fps: 30 };

function createScene() {
  const opened: FakeTrack[] = [];
  let next: Promise<void> = Promise.resolve();
  function open(label: string): MediaStreamTrack {
    const track = new FakeTrack(label);
    opened.push(track);
    // The desk uses nothing of a track but what the double has.
    return track as EventTarget as MediaStreamTrack;
  }
  async function take(what: () => Captured): Promise<Captured> {
    const held = next;
    next = Promise.resolve();
    await held;
    return what();
  }
  const capture: Capture = {
    openBoth: () => take(() => ({ video: open('camera'), audio: open('microphone') })),
    openCamera: (id) => take(() => ({ video: open(`camera ${id}`), audio: null })),
    openMicrophone: (id) => take(() => ({ video: null, audio: open(`microphone ${id}`) })),
    openScreen: () => take(() => ({ video: open('screen'), audio: null })),
    listDevices: async () => ({ cameras: [], microphones: [] }),
    onDevicesChanged: () => () => {},
    captureFaultOf: () => 'busy',
  };
  const desk = CaptureDesk.create({
    capture,
    sizes: { '480p30': size, '720p30': size, '1080p30': size },
    createMeter: () => ({ level: signal(0), close: () => {} }),
    mixSounds: () => null,
    clock: createManualClock(),
  });
  return {
    desk,
    opened,
    inUse: () => opened.filter(({ stopped }) => !stopped).map(({ label }) => label),
    /** The next device takes until this is called; with an error it never comes. */
    holdNext(): PromiseWithResolvers<void> {
      const hold = Promise.withResolvers<void>();
      next = hold.promise;
      return hold;
    },
  };
}

test('a camera and a microphone that were switched off stay off when devices change', async () => {
  const { desk, opened } = createScene();
  await desk.open();
  desk.toggleCamera();
  desk.toggleMicrophone();
  opened.find(({ label }) => label === 'microphone')?.unplug();
  await settled();
  expect(opened).toHaveLength(4);
  expect(opened.slice(2).map(({ enabled }) => enabled)).toEqual([false, false]);
  expect(desk.cameraOn.value).toBe(false);

  await desk.pickCamera('b');
  await desk.pickMicrophone('b');
  expect(opened.slice(4).map(({ enabled }) => enabled)).toEqual([false, false]);
});

test('of two cameras picked in a row the second is used, and no other stays on', async () => {
  const { desk, holdNext, inUse } = createScene();
  await desk.open();
  const first = holdNext();
  const picking = desk.pickCamera('slow');
  await desk.pickCamera('quick');
  first.resolve();
  await picking;
  expect(inUse()).toEqual(['microphone', 'camera quick']);
  expect(desk.videoOut.value?.label).toBe('camera quick');
});

test('a device that arrives when the studio has been left is let go at once', async () => {
  for (const order of ['pickCamera', 'pickMicrophone', 'shareScreen'] as const) {
    const { desk, holdNext, inUse } = createScene();
    await desk.open();
    const late = holdNext();
    const ordered = desk[order]('late');
    desk.close();
    late.resolve();
    await ordered;
    expect(inUse()).toEqual([]);
  }
});

test('a camera that cannot be had leaves no dead picture behind, and the next try brings it', async () => {
  const { desk, holdNext } = createScene();
  await desk.open();
  const taken = holdNext();
  const picking = desk.pickCamera('taken');
  taken.reject(new Error('in use'));
  await picking;
  expect(desk.fault.value).toBe('busy');
  expect(desk.videoOut.value).toBeNull();
  await desk.open();
  expect(desk.fault.value).toBeNull();
  expect(desk.videoOut.value?.label).toBe('camera');
});
