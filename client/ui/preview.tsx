// The preview: what is sent; one's own face is mirrored here, as people know it, and not for viewers.
import { useEffect, useRef } from 'preact/hooks';
import type { CaptureFault } from '../media/capture.ts';
import type { CaptureDesk } from '../models/capture-desk.ts';
import { Button } from './button.tsx';
import { CameraIcon, CameraOffIcon } from './icons.tsx';
import { Notice } from './notice.tsx';
import './preview.css';

const faultWords: Record<CaptureFault, { title: string; text: string }> = {
  denied: {
    title: 'Camera and microphone are blocked',
    text: 'Allow them for this page in the bar of your browser, then try again.',
  },
  missing: {
    title: 'No camera or microphone was found',
    text: 'Connect one, then try again.',
  },
  busy: {
    title: 'The camera is in use',
    text: 'Close the other program that uses it, then try again.',
  },
  insecure: {
    title: 'This address may not use the camera',
    text: 'Browsers give cameras to https pages and to this very machine only.',
  },
  unknown: {
    title: 'The camera did not start',
    text: 'Try again, or pick another device.',
  },
};

function Trouble({ desk, fault }: { desk: CaptureDesk; fault: CaptureFault }) {
  const { title, text } = faultWords[fault];
  return (
    <div class="preview-note" role="alert">
      <CameraOffIcon size={34} />
      <b>{title}</b>
      <span>{text}</span>
      <Button onClick={() => desk.open()} busy={desk.opening.value} data-testid="capture-retry">
        Try again
      </Button>
    </div>
  );
}

/** Something went wrong with one device while the picture goes on. */
export function DeviceFault({ desk }: { desk: CaptureDesk }) {
  return desk.videoOut.value && <CaptureFaultNotice fault={desk.fault.value} />;
}

export function CaptureFaultNotice({ fault }: { fault: CaptureFault | null }) {
  if (!fault) return null;
  const { title, text } = faultWords[fault];
  return (
    <Notice tone="bad">
      <b>{title}.</b> {text}
    </Notice>
  );
}

export function Preview({ desk }: { desk: CaptureDesk }) {
  const video = useRef<HTMLVideoElement>(null);
  const track = desk.videoOut.value;
  const sharing = desk.sharing.value;
  useEffect(() => {
    if (!video.current) return;
    video.current.srcObject = track ? new MediaStream([track]) : null;
  }, [track]);
  const fault = desk.fault.value;
  return (
    <div class="preview">
      <video
        ref={video}
        class={sharing ? 'preview-video' : 'preview-video mirrored'}
        muted
        playsInline
        autoplay
        data-testid="preview"
        aria-label="What your viewers see"
      />
      {fault && !track && <Trouble desk={desk} fault={fault} />}
      {!fault && !track && (
        <div class="preview-note">
          <CameraIcon size={34} />
          <span>{desk.opening.value ? 'Starting the camera' : 'There is no picture yet'}</span>
        </div>
      )}
      {track && !sharing && !desk.cameraOn.value && (
        <div class="preview-note">
          <CameraOffIcon size={34} />
          <span>Your camera is off. Viewers see a black picture.</span>
        </div>
      )}
    </div>
  );
}
