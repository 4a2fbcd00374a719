// A card of one live stream in the grid.
import type { Stream } from '#contract';
import { Avatar } from './avatar.tsx';
import { LiveBadge, ViewersBadge } from './badge.tsx';
import { categoryFaces } from './category.ts';
import { formatSince } from './format.ts';
import { Skeleton } from './skeleton.tsx';
import { StreamPicture } from './stream-picture.tsx';
import './stream-card.css';

type StreamCardProps = { stream: Stream; nowMs: number; onAboutToWatch: () => void };

export function StreamCard({ stream, nowMs, onAboutToWatch }: StreamCardProps) {
  const { username } = stream.performer;
  return (
    <article class="stream-card" data-testid="stream-card" data-stream-id={stream.id}>
      <div class="stream-card-picture">
        <StreamPicture stream={stream} />
        <span class="stream-card-top">
          <LiveBadge />
        </span>
        <span class="stream-card-bottom">
          <ViewersBadge viewers={stream.viewers} />
        </span>
      </div>
      <div class="stream-card-text">
        <Avatar name={username} size={38} />
        <div>
          <h3>
            <a
              href={`/watch/${stream.id}`}
              onPointerEnter={onAboutToWatch}
              onFocus={onAboutToWatch}
            >
              <bdi>{stream.title}</bdi>
            </a>
          </h3>
          <p class="soft">{username}</p>
          <p class="faint">
            {categoryFaces[stream.category].label}
            {stream.startedAt && ` · ${formatSince(stream.startedAt, nowMs)}`}
          </p>
          <Tags tags={stream.tags} />
        </div>
      </div>
    </article>
  );
}

/** No more than fit in a line or two; the page of the stream shows the others. */
const tagsShown = 3;

function Tags({ tags }: { tags: readonly string[] }) {
  if (tags.length === 0) return null;
  return (
    <ul class="stream-card-tags" aria-label="Tags">
      {tags.slice(0, tagsShown).map((tag) => (
        <li key={tag}>
          <a class="tag" href={`/?tag=${encodeURIComponent(tag)}`}>
            #<bdi>{tag}</bdi>
          </a>
        </li>
      ))}
    </ul>
  );
}

export function StreamCardSkeleton() {
  return (
    <div class="stream-card" aria-hidden="true">
      <div class="stream-card-picture">
        <Skeleton height="100%" />
      </div>
      <div class="stream-card-text">
        <Skeleton width="38px" height="38px" round />
        <div class="stack">
          <Skeleton width="85%" height="1.1em" />
          <Skeleton width="50%" height="0.9em" />
        </div>
      </div>
    </div>
  );
}
