// The stage seat under the picture: an invitation, a look at oneself, and what one can do on the stage.
import { canShareScreen } from '../media/capture.ts';
import type { StageSeat } from '../models/stage-seat.ts';
import { Button } from './button.tsx';
import { DevicePickers, DeviceSwitches } from './device-bar.tsx';
import { HealthStrip } from './health-strip.tsx';
import { heldWords } from './held-words.ts';
import { Notice } from './notice.tsx';
import { DeviceFault, Preview } from './preview.tsx';
import './stage-seat-card.css';

function Invitation({ seat, host }: { seat: StageSeat; host: string }) {
  const isAway = seat.state.value === 'away';
  return (
    <>
      <p role="status">
        {isAway ? (
          <>
            You are a guest of <b>{host}</b>, and your camera is off.
          </>
        ) : (
          <>
            <b>{host}</b> invites you to the stage: everybody who watches sees and hears you there.
          </>
        )}
      </p>
      <div class="row wrap">
        <Button
          look="primary"
          busy={seat.busy.value}
          onClick={() => seat.prepare()}
          data-testid="seat-prepare"
        >
          Turn on my camera
        </Button>
        <Button onClick={() => seat.leave()} data-testid="seat-decline">
          {isAway ? 'Leave the stage' : 'Not now'}
        </Button>
      </div>
      {!isAway && <p class="faint">You see yourself first. Nobody else does yet.</p>}
    </>
  );
}

function Ready({ seat }: { seat: StageSeat }) {
  return (
    <div class="row wrap">
      <Button
        look="primary"
        busy={seat.busy.value}
        onClick={() => seat.join()}
        data-testid="seat-join"
      >
        Go on stage
      </Button>
      <Button onClick={seat.stepBack} data-testid="seat-back">
        Not yet
      </Button>
    </div>
  );
}

function OnStage({ seat }: { seat: StageSeat }) {
  const held = heldWords(seat.held.value);
  const link = seat.link.value;
  return (
    <>
      {held && (
        <Notice tone="warn">
          <span data-testid="seat-held">{held}</span>
        </Notice>
      )}
      {seat.fault.value && <Notice tone="bad">{seat.fault.value}</Notice>}
      {link && (
        <HealthStrip health={seat.health.value} path={seat.path.value} link={link.state.value} />
      )}
      <div class="row wrap">
        <Button
          look="danger"
          busy={seat.busy.value}
          onClick={() => seat.leave()}
          data-testid="seat-leave"
        >
          Leave the stage
        </Button>
      </div>
    </>
  );
}

export function StageSeatCard({ seat, host }: { seat: StageSeat; host: string }) {
  const state = seat.state.value;
  const desk = seat.desk.value;
  if (state === 'none') return null;
  return (
    <section class="stage-seat" aria-label="Stage" data-testid="stage-seat" data-state={state}>
      {desk && (
        <div class="stage-seat-desk">
          <Preview desk={desk} />
          <DeviceFault desk={desk} />
          <DeviceSwitches desk={desk} canShare={canShareScreen()} />
          {state === 'ready' && <DevicePickers desk={desk} />}
        </div>
      )}
      <div class="stack stage-seat-words">
        {state === 'on-stage' && <OnStage seat={seat} />}
        {state === 'ready' && <Ready seat={seat} />}
        {(state === 'invited' || state === 'away') && <Invitation seat={seat} host={host} />}
      </div>
    </section>
  );
}
