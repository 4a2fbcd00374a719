// The raid notice: where the performer leads the viewers, with the time to think it over.
import type { RaidNotice as Model } from '../models/raid-notice.ts';
import { Button } from './button.tsx';
import './raid-notice.css';

export function RaidNotice({ raid }: { raid: Model }) {
  const goal = raid.goal.value;
  const secondsLeft = raid.secondsLeft.value;
  if (!goal || secondsLeft === null) return null;
  const { performer, title } = goal;
  return (
    <section class="raid-notice" aria-label="Raid" data-testid="raid-notice">
      <div class="raid-words">
        <p role="status">
          The whole room goes on to <b>{performer.username}</b>.
        </p>
        <p class="faint">
          <bdi>{title}</bdi>
        </p>
      </div>
      <p class="raid-seconds figure" role="timer">
        {secondsLeft}
        <span class="sr-only"> seconds until you go there</span>
      </p>
      <div class="row wrap">
        <Button look="primary" size="small" onClick={raid.leave} data-testid="raid-go">
          Go now
        </Button>
        <Button size="small" onClick={raid.stay} data-testid="raid-stay">
          Stay here
        </Button>
      </div>
    </section>
  );
}
