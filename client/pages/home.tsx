// Home: everybody who is live now.
import { useEffect } from 'preact/hooks';
import { type LiveSort, liveSorts } from '#contract';
import {
  homePath,
  isNarrowed,
  type LiveFilter,
  liveFilterOf,
  widened,
} from '../models/live-filter.ts';
import { createLiveList, type LiveList } from '../models/live-list.ts';
import { useApp, useLife, useTitle } from '../ui/app-context.ts';
import { Button, ButtonLink } from '../ui/button.tsx';
import { categories, categoryFaces } from '../ui/category.ts';
import { SelectField } from '../ui/field.tsx';
import { Hero } from '../ui/hero.tsx';
import { CloseIcon } from '../ui/icons.tsx';
import { languageName, languageOptions } from '../ui/languages.ts';
import { Mark } from '../ui/logo.tsx';
import { Empty, Fault } from '../ui/notice.tsx';
import { Loading } from '../ui/skeleton.tsx';
import { StreamCard, StreamCardSkeleton } from '../ui/stream-card.tsx';
import './home.css';

const skeletonCards = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

type Choice = { list: LiveList; onChoose: (filter: LiveFilter) => void };

function Categories({ list, onChoose }: Choice) {
  const filter = list.wanted.value;
  return (
    <fieldset class="chips">
      <legend class="sr-only">Category</legend>
      <button
        type="button"
        class="chip"
        aria-pressed={filter.category === null}
        onClick={() => onChoose({ ...filter, category: null })}
        data-testid="category-all"
      >
        Everything
      </button>
      {categories.map((category) => (
        <button
          key={category}
          type="button"
          class="chip"
          aria-pressed={filter.category === category}
          onClick={() => onChoose({ ...filter, category })}
          data-testid={`category-${category}`}
        >
          {categoryFaces[category].label}
        </button>
      ))}
    </fieldset>
  );
}

const sortWords: Record<LiveSort, string> = {
  viewers: 'Most watched',
  tips: 'Most tipped',
  newest: 'Newest',
};

function Refine({ list, onChoose }: Choice) {
  const { session } = useApp();
  const filter = list.wanted.value;
  const { tag } = filter;
  return (
    <div class="refine">
      <SelectField
        label="Sort by"
        value={filter.sort}
        options={liveSorts.map((sort) => ({ value: sort, label: sortWords[sort] }))}
        onPick={(picked) => {
          const sort = liveSorts.find((each) => each === picked);
          if (sort) onChoose({ ...filter, sort });
        }}
        data-testid="live-sort"
      />
      <SelectField
        label="Language"
        value={filter.language ?? ''}
        options={[
          { value: '', label: 'Any language' },
          ...languageOptions(navigator.language, filter.language),
        ]}
        onPick={(picked) => onChoose({ ...filter, language: picked || null })}
        data-testid="live-language"
      />
      {session.user.value && (
        <label class="check">
          <input
            type="checkbox"
            checked={filter.mature}
            onChange={(event) => onChoose({ ...filter, mature: event.currentTarget.checked })}
            data-testid="live-mature"
          />
          Mature streams too
        </label>
      )}
      {tag && (
        <button
          type="button"
          class="chip refine-tag"
          onClick={() => onChoose({ ...filter, tag: null })}
          data-testid="live-tag"
        >
          <span class="sr-only">Show other tags than</span>
          <bdi>#{tag}</bdi>
          <CloseIcon size={16} />
        </button>
      )}
    </div>
  );
}

/** What is shown, in words: " in Art, in Hindi, with #ink". */
function narrowedTo({ category, language, tag }: LiveFilter): string {
  return [
    category && ` in ${categoryFaces[category].label}`,
    language && ` in ${languageName(language, navigator.language)}`,
    tag && ` with #${tag}`,
  ]
    .filter(Boolean)
    .join('');
}

function Nobody({ list, onChoose }: Choice) {
  const filter = list.wanted.value;
  return (
    <Empty
      art={<Mark size={64} />}
      title={`Nobody is live${narrowedTo(filter)} right now`}
      action={
        <>
          <ButtonLink look="primary" href="/studio" data-testid="empty-go-live">
            Be the first
          </ButtonLink>
          {isNarrowed(filter) && (
            <Button onClick={() => onChoose(widened(filter))} data-testid="show-everything">
              Show everything
            </Button>
          )}
        </>
      }
    >
      <p>This page watches for you. Whoever goes live shows up here.</p>
    </Empty>
  );
}

type GridProps = Choice & { onAboutToWatch: () => void };

function Grid({ list, onChoose, onAboutToWatch }: GridProps) {
  const streams = list.items.value;
  if (!list.ready.value && list.fault.value) {
    return <Fault text={list.fault.value} onRetry={() => list.reload()} />;
  }
  if (!list.ready.value) {
    return (
      <div class="stream-grid">
        <Loading what="live streams" />
        {skeletonCards.map((key) => (
          <StreamCardSkeleton key={key} />
        ))}
      </div>
    );
  }
  if (streams.length === 0) return <Nobody list={list} onChoose={onChoose} />;
  return (
    <>
      <div class="stream-grid" data-testid="stream-grid">
        {streams.map((stream) => (
          <StreamCard
            key={stream.id}
            stream={stream}
            nowMs={list.refreshedAtMs.value}
            onAboutToWatch={onAboutToWatch}
          />
        ))}
      </div>
      {list.hasMore.value && (
        <div class="more">
          <Button busy={list.loading.value} onClick={list.more}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

export function HomePage({ onAboutToWatch }: { onAboutToWatch: () => void }) {
  const { api, clock, router, session, isLookedAt, onWake } = useApp();
  const filter = liveFilterOf(router.search.value);
  const list = useLife(() => createLiveList({ api, clock, isLookedAt, filter }), 'home');
  const choose = (next: LiveFilter) => router.go(homePath(next), { replace: true, stay: true });
  const guest = !session.restoring.value && session.user.value === null;
  useTitle('LivePanty');
  useEffect(() => list.choose(filter), [list, homePath(filter)]);
  useEffect(() => onWake(() => void list.refresh()), [list, onWake]);
  const count = list.items.value.length;
  return (
    <main class="page page-home" id="main" tabIndex={-1} data-testid="page-home">
      {guest ? <Hero /> : <h1 class="sr-only">Home</h1>}
      <section aria-labelledby="live-title">
        <div class="home-head">
          <h2 id="live-title">Live now</h2>
          <p class="faint figure" role="status">
            {list.ready.value && count > 0 && `${count}${list.hasMore.value ? '+' : ''} on air`}
          </p>
        </div>
        <Categories list={list} onChoose={choose} />
        <Refine list={list} onChoose={choose} />
        <Grid list={list} onChoose={choose} onAboutToWatch={onAboutToWatch} />
      </section>
    </main>
  );
}
