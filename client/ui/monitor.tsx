// The monitor: what goes out when it does not come from this window, and the way to send from here instead.
import { useEffect, useRef } from 'preact/hooks';
import { watchBox } from '../media/picture-box.ts';
import type { Studio } from '../models/studio.ts';
import { hostPlace, type Viewing } from '../models/viewing.ts';
import { useApp } from './app-context.ts';
import { Button } from './button.tsx';
import { CameraIcon } from './icons.tsx';
import { Notice } from './notice.tsx';
import { CaptureFaultNotice } from './preview.tsx';
import './preview.css';

function Picture({ stream, place }: { stream: MediaStream | null; place: Viewing['place'] }) {
  const { clock } = useApp();
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (!video.current) return;
    const stop = watchBox(video.current, 'contain', clock, (box) => place(hostPlace, box));
    return () => {
      stop();
      place(hostPlace, null);
    };
  }, [clock, place]);
  useEffect(() => {
    if (video.current) video.current.srcObject = stream;
  }, [stream]);
  return (
    <video
      ref={video}
      class="preview-video"
      muted
      playsInline
      autoplay
      data-testid="monitor"
      aria-label="What your viewers see"
    />
  );
}

export function Monitor({ studio }: { studio: Studio }) {
  const { broadcast, desk } = studio;
  const isSent = broadcast.room.value?.publishing.value ?? false;
  const stage = studio.stage.value;
  const stream = stage?.host.value ?? null;
  return (
    <div class="stack studio-desk">
      <div class="preview">
        {isSent && stage && <Picture stream={stream} place={stage.viewing.place} />}
        {!(isSent && stream) && (
          <div class="preview-note">
            <CameraIcon size={34} />
            <span>{isSent ? 'The picture is on its way' : 'Nothing comes in at the moment'}</span>
          </div>
        )}
      </div>
      <CaptureFaultNotice fault={desk.fault.value} />
      <Notice tone={isSent ? 'info' : 'warn'}>
        <div class="stack" data-testid="sent-elsewhere" data-sent={isSent}>
          <span>
            {isSent
              ? 'This stream is sent by your encoder or from another window. Here you see what goes out, without its sound.'
              : 'Your stream is still open, and nobody sends. Start your encoder again or send from this browser; it ends by itself if nothing comes.'}
          </span>
          <div class="row wrap">
            <Button
              size="small"
              look={isSent ? 'quiet' : 'primary'}
              busy={desk.opening.value}
              onClick={() => studio.takeOver()}
              data-testid="take-over"
            >
              Send from this browser{isSent ? ' instead' : ''}
            </Button>
          </div>
        </div>
      </Notice>
    </div>
  );
}
