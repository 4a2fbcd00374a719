// The studio: set up, go live, and see from moment to moment how it goes.
import { useEffect, useState } from 'preact/hooks';
import { canShareScreen } from '../media/capture.ts';
import { openStudio } from '../models/open-studio.ts';
import type { Studio } from '../models/studio.ts';
import { useApp, useLife } from '../ui/app-context.ts';
import { BecomePerformer } from '../ui/become-performer.tsx';
import { Button, ButtonLink } from '../ui/button.tsx';
import { Tokens } from '../ui/coin.tsx';
import { DevicePickers, DeviceSwitches } from '../ui/device-bar.tsx';
import { formatCount, formatDuration, formatRupees } from '../ui/format.ts';
import { HealthStrip } from '../ui/health-strip.tsx';
import { MembersOnly } from '../ui/members-only.tsx';
import { RupeeIcon } from '../ui/money-icons.tsx';
import { Monitor } from '../ui/monitor.tsx';
import { Empty } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { DeviceFault, Preview } from '../ui/preview.tsx';
import { StagePanel } from '../ui/stage-panel.tsx';
import { StreamKeysCard } from '../ui/stream-keys-card.tsx';
import { BroadcastFault, OnAirBar, StudioSide } from '../ui/studio-live.tsx';
import { StudioSetup } from '../ui/studio-setup.tsx';
import './studio.css';

const leavingQuestion =
  'You are on air. If you leave, the stream stops unless you come back soon. Leave?';

/** Nobody leaves a running stream by accident. */
function useLeavingGuard(studio: Studio): void {
  const { router } = useApp();
  const phase = studio.broadcast.phase.value;
  const onAir =
    (phase === 'starting' || phase === 'live') && studio.broadcast.sender.value === 'here';
  useEffect(() => {
    if (!onAir) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    const release = router.guardLeaving(() => leavingQuestion);
    return () => {
      window.removeEventListener('beforeunload', warn);
      release();
    };
  }, [onAir, router]);
}

function Summary({ studio, onAgain }: { studio: Studio; onAgain: () => void }) {
  const { tokens, tips, viewersPeak } = studio.tally.value;
  const stream = studio.broadcast.stream.value;
  const lasted =
    stream?.startedAt && stream.endedAt
      ? formatDuration(Date.parse(stream.endedAt) - Date.parse(stream.startedAt))
      : '–';
  return (
    <Empty
      title="That was your stream"
      action={
        <>
          <Button look="primary" size="large" onClick={onAgain} data-testid="go-live-again">
            Go live again
          </Button>
          <EarningsLink />
        </>
      }
    >
      <dl class="facts studio-summary" data-testid="stream-summary">
        <div>
          <dt>On air</dt>
          <dd class="figure">{lasted}</dd>
        </div>
        <div>
          <dt>Most viewers at once</dt>
          <dd class="figure">{formatCount(viewersPeak)}</dd>
        </div>
        <div>
          <dt>Tips</dt>
          <dd class="figure">{formatCount(tips)}</dd>
        </div>
        <div>
          <dt>Tokens received</dt>
          <dd>
            <Tokens amount={tokens} />
          </dd>
        </div>
      </dl>
    </Empty>
  );
}

function EarningsLine({ studio }: { studio: Studio }) {
  const earnings = studio.earnings.value.value;
  if (!earnings) return null;
  return (
    <p class="studio-earned" data-testid="earnings-line">
      You have earned <b class="figure">{formatRupees(earnings.earnedPaise)}</b> from{' '}
      {formatCount(earnings.tips)} {earnings.tips === 1 ? 'tip' : 'tips'} so far, at{' '}
      {formatRupees(earnings.feePolicy.payoutPaisePerToken)} a token.
    </p>
  );
}

function StudioAside({ studio }: { studio: Studio }) {
  return (
    <div class="row wrap studio-aside">
      <EarningsLine studio={studio} />
      <ButtonLink href="/studio/schedule" data-testid="to-schedule">
        Schedule
      </ButtonLink>
      <EarningsLink />
    </div>
  );
}

function EarningsLink() {
  return (
    <ButtonLink href="/studio/earnings" data-testid="to-earnings">
      <RupeeIcon size={18} /> Earnings and payouts
    </ButtonLink>
  );
}

function Desk({ studio }: { studio: Studio }) {
  const { desk, broadcast } = studio;
  const room = broadcast.room.value;
  return (
    <div class="stack studio-desk">
      <Preview desk={desk} />
      <DeviceFault desk={desk} />
      <DeviceSwitches desk={desk} canShare={canShareScreen()} />
      {room && (
        <HealthStrip
          health={broadcast.health.value}
          path={broadcast.path.value}
          link={room.link.state.value}
        />
      )}
      <DevicePickers desk={desk} />
    </div>
  );
}

function OpenStudio() {
  const app = useApp();
  // A stream that has ended leaves the studio ready for the next one.
  const [take, again] = useTakes();
  const studio = useLife(() => openStudio(app), take);
  useLeavingGuard(studio);
  useEffect(() => void studio.desk.open(), [studio]);
  const { broadcast } = studio;
  if (broadcast.phase.value === 'ended') {
    return (
      <Page name="studio" title="Studio">
        <Summary studio={studio} onAgain={again} />
      </Page>
    );
  }
  const onAir = broadcast.room.value !== null;
  const isElsewhere = broadcast.sender.value === 'elsewhere';
  return (
    <Page
      name="studio"
      title={onAir ? (broadcast.stream.value?.title ?? 'Studio') : 'Studio'}
      aside={onAir ? <OnAirBar studio={studio} /> : <StudioAside studio={studio} />}
    >
      {onAir && <BroadcastFault studio={studio} />}
      <div class="studio-grid">
        {isElsewhere ? <Monitor studio={studio} /> : <Desk studio={studio} />}
        {onAir ? <StudioSide studio={studio} /> : <StudioSetup studio={studio} />}
      </div>
      {onAir && studio.stage.value && <StagePanel desk={studio.stage.value} />}
      {(!onAir || isElsewhere) && <StreamKeysCard />}
    </Page>
  );
}

function useTakes(): [number, () => void] {
  const [take, setTake] = useState(1);
  return [take, () => setTake((before) => before + 1)];
}

export function StudioPage() {
  return (
    <MembersOnly why="The studio is where you go live.">
      {(user) =>
        user.role === 'performer' ? (
          <OpenStudio />
        ) : (
          <Page name="studio" title="Studio" lead="Go live from here.">
            {user.role === 'admin' ? (
              <Empty title="Staff accounts do not perform">
                <p>Use an account of your own to go live.</p>
              </Empty>
            ) : (
              <BecomePerformer />
            )}
          </Page>
        )
      }
    </MembersOnly>
  );
}
