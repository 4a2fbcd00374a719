// A card of a stream that is announced: when it begins, and whose it is.
import type { Stream } from '#contract';
import { profileHref } from '../models/router.ts';
import { Badge } from './badge.tsx';
import { categoryFaces } from './category.ts';
import { formatDayTime } from './format.ts';
import './upcoming-card.css';

export function UpcomingCard({ stream }: { stream: Stream }) {
  const { scheduledAt } = stream;
  return (
    <article class="upcoming-card" data-testid="upcoming-card" data-stream-id={stream.id}>
      {scheduledAt && (
        <p class="upcoming-when">
          <time dateTime={scheduledAt}>{formatDayTime(scheduledAt)}</time>
        </p>
      )}
      <h3>
        <a href={`/watch/${stream.id}`}>
          <bdi>{stream.title}</bdi>
        </a>
      </h3>
      <p class="soft">
        <a href={profileHref(stream.performer.username)}>{stream.performer.username}</a>
      </p>
      <Badge>{categoryFaces[stream.category].label}</Badge>
    </article>
  );
}
