// Search: live streams, announced ones and performers, by words.
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { FoundPerformer, SearchResult } from '#contract';
import { profileHref } from '../models/router.ts';
import { createSearch, type Search, searchPath } from '../models/search.ts';
import { useApp, useLife } from '../ui/app-context.ts';
import { Avatar } from '../ui/avatar.tsx';
import { LiveBadge } from '../ui/badge.tsx';
import { ButtonLink } from '../ui/button.tsx';
import { SearchIcon } from '../ui/icons.tsx';
import { Empty, Fault } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { SearchField } from '../ui/search-field.tsx';
import { Loading } from '../ui/skeleton.tsx';
import { StreamCard, StreamCardSkeleton } from '../ui/stream-card.tsx';
import { UpcomingCard } from '../ui/upcoming-card.tsx';
import './search.css';

const skeletonCards = ['a', 'b', 'c', 'd'];

function Kind({
  title,
  name,
  children,
}: {
  title: string;
  name: string;
  children: ComponentChildren;
}) {
  return (
    <section class="found" aria-labelledby={`found-${name}`} data-testid={`found-${name}`}>
      <h2 id={`found-${name}`}>{title}</h2>
      {children}
    </section>
  );
}

function Performer({ performer }: { performer: FoundPerformer }) {
  const { username, displayName, liveStreamId } = performer;
  return (
    <li class="found-performer" data-testid="found-performer">
      <Avatar name={username} size={46} />
      <div>
        <h3>
          <a href={profileHref(username)}>
            <bdi>{displayName ?? username}</bdi>
          </a>
        </h3>
        {displayName && <p class="soft">{username}</p>}
      </div>
      {liveStreamId && (
        <a class="found-live" href={`/watch/${liveStreamId}`}>
          <LiveBadge>
            Live<span class="sr-only">: watch {username}</span>
          </LiveBadge>
        </a>
      )}
    </li>
  );
}

type FoundProps = { result: SearchResult; looked: string; onAboutToWatch: () => void };

function Found({ result, looked, onAboutToWatch }: FoundProps) {
  const { clock } = useApp();
  const { live, upcoming, performers } = result;
  if (live.length + upcoming.length + performers.length === 0) {
    return (
      <Empty
        art={<SearchIcon size={48} />}
        title={`Nothing found for “${looked}”`}
        action={
          <ButtonLink href="/" data-testid="search-home">
            See who is live
          </ButtonLink>
        }
      >
        <p>Fewer words, or the beginning of one, find more.</p>
      </Empty>
    );
  }
  return (
    <>
      {live.length > 0 && (
        <Kind title="Live now" name="live">
          <div class="stream-grid">
            {live.map((stream) => (
              <StreamCard
                key={stream.id}
                stream={stream}
                nowMs={clock.now()}
                onAboutToWatch={onAboutToWatch}
              />
            ))}
          </div>
        </Kind>
      )}
      {performers.length > 0 && (
        <Kind title="Performers" name="performers">
          <ul class="found-performers">
            {performers.map((performer) => (
              <Performer key={performer.id} performer={performer} />
            ))}
          </ul>
        </Kind>
      )}
      {upcoming.length > 0 && (
        <Kind title="Coming up" name="upcoming">
          <div class="upcoming-grid">
            {upcoming.map((stream) => (
              <UpcomingCard key={stream.id} stream={stream} />
            ))}
          </div>
        </Kind>
      )}
    </>
  );
}

function Results({ search, onAboutToWatch }: { search: Search; onAboutToWatch: () => void }) {
  const looked = search.looked.value;
  const result = search.found.value.value;
  const fault = search.found.fault.value;
  if (looked === '') {
    return (
      <Empty art={<SearchIcon size={48} />} title="What are you looking for?">
        <p>A title, a tag, or somebody’s name.</p>
      </Empty>
    );
  }
  if (fault) return <Fault text={fault} onRetry={() => search.found.load()} />;
  if (!result) {
    return (
      <div class="stream-grid">
        <Loading what="what was found" />
        {skeletonCards.map((key) => (
          <StreamCardSkeleton key={key} />
        ))}
      </div>
    );
  }
  return <Found result={result} looked={looked} onAboutToWatch={onAboutToWatch} />;
}

function told({ live, upcoming, performers }: SearchResult): string {
  const found = live.length + upcoming.length + performers.length;
  return found === 1 ? '1 found' : `${found} found`;
}

export function SearchPage({ onAboutToWatch }: { onAboutToWatch: () => void }) {
  const { api, clock, router } = useApp();
  const text = router.search.value.get('q') ?? '';
  const search = useLife(
    () =>
      createSearch({
        api,
        clock,
        text,
        onLook: (looked) => router.go(searchPath(looked), { replace: true, stay: true }),
      }),
    'search',
  );
  useEffect(() => search.follow(text), [search, text]);
  const result = search.found.value.value;
  return (
    <Page title="Search" name="search">
      <div class="search-top">
        <SearchField
          name="search"
          value={search.typed.value}
          onType={search.type}
          onLook={search.look}
        />
        <p class="faint figure" role="status">
          {result && told(result)}
        </p>
      </div>
      <Results search={search} onAboutToWatch={onAboutToWatch} />
    </Page>
  );
}
