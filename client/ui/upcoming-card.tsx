// A card of a stream that is announced: when it begins, and whose it is.
import type { Stream } from '#contract';
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
        <bdi>{stream.title}</bdi>
      </h3>
      <p class="soft">{stream.performer.username}</p>
      <Badge>{categoryFaces[stream.category].label}</Badge>
    </article>
  );
}
