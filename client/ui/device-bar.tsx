// The device bar: microphone and camera on or off, the screen, which devices, and how loud one is.
import type { CaptureDesk } from '../models/capture-desk.ts';
import { Button } from './button.tsx';
import { SelectField } from './field.tsx';
import { CameraIcon, CameraOffIcon, MicIcon, MicOffIcon, ScreenIcon, StopIcon } from './icons.tsx';
import './device-bar.css';

function Meter({ desk }: { desk: CaptureDesk }) {
  const level = desk.microphoneOn.value ? desk.level.value : 0;
  return (
    <meter
      class="meter"
      aria-label="Loudness of your microphone"
      min={0}
      max={1}
      value={level}
      data-testid="mic-meter"
    />
  );
}

export function DeviceSwitches({ desk, canShare }: { desk: CaptureDesk; canShare: boolean }) {
  const mic = desk.microphoneOn.value;
  const camera = desk.cameraOn.value;
  const sharing = desk.sharing.value;
  return (
    <div class="device-switches">
      <Button
        look={mic ? 'quiet' : 'danger'}
        aria-pressed={!mic}
        onClick={() => desk.toggleMicrophone()}
        data-testid="toggle-mic"
      >
        {mic ? <MicIcon /> : <MicOffIcon />} <span>{mic ? 'Mute' : 'Muted'}</span>
      </Button>
      <Button
        look={camera ? 'quiet' : 'danger'}
        aria-pressed={!camera}
        onClick={() => desk.toggleCamera()}
        data-testid="toggle-camera"
      >
        {camera ? <CameraIcon /> : <CameraOffIcon />}{' '}
        <span>{camera ? 'Camera' : 'Camera off'}</span>
      </Button>
      {canShare && (
        <Button
          look={sharing ? 'primary' : 'quiet'}
          onClick={() => (sharing ? desk.stopScreen() : desk.shareScreen())}
          data-testid="share-screen"
        >
          {sharing ? <StopIcon /> : <ScreenIcon />}{' '}
          <span>{sharing ? 'Stop sharing' : 'Share screen'}</span>
        </Button>
      )}
      <Meter desk={desk} />
    </div>
  );
}

export function DevicePickers({ desk }: { desk: CaptureDesk }) {
  const { cameras, microphones } = desk.devices.value;
  const options = (list: typeof cameras) => list.map(({ id, label }) => ({ value: id, label }));
  return (
    <div class="device-pickers">
      <SelectField
        label="Camera"
        value={desk.cameraId.value ?? cameras[0]?.id ?? ''}
        options={options(cameras)}
        onPick={(id) => desk.pickCamera(id)}
        disabled={cameras.length === 0}
        data-testid="pick-camera"
      />
      <SelectField
        label="Microphone"
        value={desk.microphoneId.value ?? microphones[0]?.id ?? ''}
        options={options(microphones)}
        onPick={(id) => desk.pickMicrophone(id)}
        disabled={microphones.length === 0}
        data-testid="pick-microphone"
      />
    </div>
  );
}
